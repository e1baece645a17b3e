//! The client library against a certified provider and our own: each grant, through the pages that
//! a person would see.

use super::browser::Browser;
use super::provider::{AUDIENCE, Provider, REDIRECT_URI};
use portcullis_client::{
    Authentication, Client, DpopKey, Provider as Discovered, Secret, SubjectToken, TokenKind,
    TokenRequest, TokenResponse,
};
use portcullis_core::{Decision, Requirement};
use portcullis_resource_server::ResourceServer;

async fn providers() -> Vec<Provider> {
    let mut providers = vec![Provider::ours("ES256").await];
    providers.extend(Provider::certified("ES256").await);
    providers
}

async fn service(provider: &Provider) -> Client {
    let discovered = Discovered::discover(&provider.issuer).await.unwrap();
    Client::new(
        discovered,
        "service",
        Authentication::secret_basic(Secret::new("service-secret")),
    )
}

async fn web(provider: &Provider) -> Client {
    Client::new(
        Discovered::discover(&provider.issuer).await.unwrap(),
        "web",
        Authentication::public(),
    )
}

fn wanted() -> TokenRequest {
    TokenRequest::new().scope("openid offline_access orders:read")
}

/// Signs alice in, with the request pushed or not.
async fn signed_in(client: &Client, pushed: bool) -> TokenResponse {
    let request = client
        .authorization_code(&wanted())
        .prompt("consent")
        .pushed_request(pushed);
    let flow = request.start(REDIRECT_URI).await.unwrap();
    let back = Browser::default()
        .sign_in(flow.url().clone(), REDIRECT_URI, "alice")
        .await;
    flow.finish(back.query().unwrap()).await.unwrap()
}

/// Whether the API takes a bearer token.
async fn is_taken(provider: &Provider, tokens: &TokenResponse) -> bool {
    let server = ResourceServer::new(&provider.issuer, AUDIENCE).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", tokens.access_token().authorization());
    let requirement = Requirement::scope("orders:read");
    matches!(
        server.decide(&headers, None, &requirement).await,
        Decision::Allow(_)
    )
}

#[tokio::test]
async fn a_service_gets_a_token_and_exchanges_one() {
    for provider in providers().await {
        let client = service(&provider).await;
        let request = TokenRequest::new()
            .scope("orders:read")
            .resource(AUDIENCE);
        let tokens = client.client_credentials(&request).await.unwrap();
        assert!(is_taken(&provider, &tokens).await, "{}", provider.issuer);
        if provider.metadata["grant_types_supported"]
            .to_string()
            .contains("token-exchange")
        {
            continue; // ours exchanges users' tokens, which its own suite does
        }
        let opaque = TokenRequest::new()
            .scope("orders:read")
            .resource("api://opaque-api");
        let opaque = client.client_credentials(&opaque).await.unwrap();
        let subject = SubjectToken::access_token(Secret::new(opaque.access_token().expose()));
        let request = TokenRequest::new()
            .scope("orders:read")
            .audience(AUDIENCE);
        let tokens = client
            .exchange(&subject, None, &request)
            .await
            .unwrap();
        assert!(is_taken(&provider, &tokens).await, "{}", provider.issuer);
        let junk = SubjectToken::access_token(Secret::new("junk"));
        let refused = client
            .exchange(&junk, None, &request)
            .await
            .unwrap_err();
        assert_eq!(
            refused.refusal().map(|refusal| refusal.error()),
            Some("invalid_grant")
        );
    }
}

#[tokio::test]
async fn a_person_signs_in_is_refreshed_and_signs_out() {
    for provider in providers().await {
        let client = web(&provider).await;
        for pushed in [false, true] {
            let tokens = signed_in(&client, pushed).await;
            assert!(is_taken(&provider, &tokens).await, "{}", provider.issuer);
            let refresh_token = tokens.refresh_token().unwrap();
            let renewed = client
                .refresh(refresh_token, &TokenRequest::new())
                .await
                .unwrap();
            assert_ne!(
                renewed.refresh_token().unwrap().expose(),
                refresh_token.expose()
            );
            client
                .revoke_refresh_token(renewed.refresh_token().unwrap())
                .await
                .unwrap();
            let refused = client
                .refresh(renewed.refresh_token().unwrap(), &TokenRequest::new())
                .await;
            assert_eq!(
                refused.unwrap_err().refusal().map(|it| it.error()),
                Some("invalid_grant")
            );
            let hint = tokens.id_token().unwrap().expose();
            let (_, page) = Browser::default()
                .visit(
                    &client
                        .logout_url(Some(hint), None, None)
                        .await
                        .unwrap(),
                    None,
                )
                .await;
            // One asks first, the other signs out whoever shows a hint.
            assert!(
                page.contains("<form") || page.contains("You are signed out"),
                "{page}"
            );
        }
    }
}

#[tokio::test]
async fn tokens_are_bound_to_a_key_with_the_nonces_that_are_wanted() {
    for provider in providers().await {
        let client = web(&provider).await.dpop(DpopKey::generate().unwrap());
        for pushed in [false, true] {
            let tokens = signed_in(&client, pushed).await;
            assert_eq!(tokens.access_token().kind(), TokenKind::Dpop);
            let renewed = client
                .refresh(tokens.refresh_token().unwrap(), &TokenRequest::new())
                .await
                .unwrap();
            assert_eq!(renewed.access_token().kind(), TokenKind::Dpop);
        }
        let own = service(&provider)
            .await
            .dpop(DpopKey::generate().unwrap());
        let tokens = own
            .client_credentials(&TokenRequest::new().resource(AUDIENCE))
            .await
            .unwrap();
        assert_eq!(tokens.access_token().kind(), TokenKind::Dpop);
    }
}

#[tokio::test]
async fn a_person_signs_in_on_another_device() {
    let Some(provider) = Provider::certified("ES256").await else {
        return;
    };
    let flow = web(&provider).await.device(&wanted()).await.unwrap();
    let page = flow.verification_uri_complete().unwrap().clone();
    assert!(page.as_str().ends_with(flow.user_code()));
    let (tokens, ()) = tokio::join!(
        flow.finish(|_| ()),
        Browser::default().fill_in_until_the_end(page, "alice")
    );
    assert!(tokens.unwrap().id_token().is_some());
}
