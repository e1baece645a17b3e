//! With the development identity provider, and a resource server that verifies its tokens.

use portcullis_client::{Authentication, Client, Provider, Secret, SubjectToken, TokenRequest};
use portcullis_core::{Decision, Requirement};
use portcullis_idp::{
    Dialect, Idp, IdpConfig, RegisteredClient as Registered, Secret as IdpSecret,
};
use portcullis_resource_server::ResourceServer;

async fn service(idp: &Idp, authentication: Authentication) -> Client {
    Client::new(
        Provider::discover(idp.issuer().as_str())
            .await
            .unwrap(),
        "service",
        authentication,
    )
}

#[tokio::test]
async fn a_service_gets_a_token_that_its_api_takes() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let secret = || Secret::new("service-secret");
    for authentication in [
        Authentication::secret_basic(secret()),
        Authentication::secret_post(secret()),
    ] {
        let client = service(&idp, authentication).await;
        let tokens = client
            .client_credentials(&TokenRequest::new().scope("orders:read"))
            .await
            .unwrap();
        let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", tokens.access_token().authorization());
        match server
            .decide(&headers, None, &Requirement::scope("orders:read"))
            .await
        {
            Decision::Allow(permit) => {
                assert_eq!(permit.token().identity().client(), Some("service"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_the_providers_to_refuse() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let client = service(&idp, Authentication::secret_basic(Secret::new("wrong"))).await;
    let error = client
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap_err();
    assert_eq!(
        error.refusal().map(|refusal| refusal.error()),
        Some("invalid_client"),
        "{error}"
    );
}

/// An API that calls another one in the name of its caller.
async fn api(dialect: Dialect) -> (Idp, Client) {
    let mut config = IdpConfig {
        algorithm: "ES256".to_owned(),
        dialect,
        ..IdpConfig::default()
    };
    config.clients.push(Registered {
        id: "api".to_owned(),
        secret: Some(IdpSecret::new("s")),
        audiences: vec!["api://downstream".to_owned()],
        scopes: vec!["down:read".to_owned()],
        ..Registered::default()
    });
    let idp = Idp::start(config).await.unwrap();
    let provider = Provider::discover(idp.issuer().as_str())
        .await
        .unwrap();
    (
        idp,
        Client::new(
            provider,
            "api",
            Authentication::secret_basic(Secret::new("s")),
        ),
    )
}

fn claims(token: &str) -> serde_json::Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&portcullis_core::jose::base64url::decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_exchanged_for_the_next_api() {
    let (idp, client) = api(Dialect::Generic).await;
    let subject = SubjectToken::access_token(Secret::new(idp.token("alice").issue()));
    let request = TokenRequest::new().audience("api://downstream");
    let tokens = client
        .exchange(&subject, None, &request)
        .await
        .unwrap();
    assert_eq!(
        tokens.issued_token_type(),
        Some("urn:ietf:params:oauth:token-type:access_token")
    );
    let new = claims(tokens.access_token().expose());
    assert_eq!(
        (&new["preferred_username"], &new["aud"], &new["act"]),
        (
            &"alice".into(),
            &"api://downstream".into(),
            &serde_json::Value::Null
        )
    );
    // With an actor, the new token names the party that acts.
    let actor = client
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap();
    let actor = SubjectToken::access_token(Secret::new(actor.access_token().expose()));
    let tokens = client
        .exchange(&subject, Some(&actor), &request)
        .await
        .unwrap();
    assert!(claims(tokens.access_token().expose())["act"].is_object());
    let junk = SubjectToken::jwt(Secret::new("junk"));
    assert!(
        client
            .exchange(&junk, None, &request)
            .await
            .unwrap_err()
            .refusal()
            .is_some()
    );
}

#[tokio::test]
async fn entra_id_is_asked_on_behalf_of() {
    let (idp, client) = api(Dialect::Entra).await;
    let user = Secret::new(idp.token("alice").issue());
    let tokens = client
        .on_behalf_of(&user, &TokenRequest::new().resource("api://downstream"))
        .await
        .unwrap();
    let new = claims(tokens.access_token().expose());
    assert_eq!(
        (&new["aud"], &new["azp"]),
        (&"api://downstream".into(), &"api".into())
    );
}

/// A key with its public half as a JWK, taken from a DPoP key.
#[tokio::test]
async fn a_client_proves_itself_by_a_key() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let point = pair.public_key_raw();
    let half = |from: usize| portcullis_core::jose::base64url::encode(&point[from..from + 32]);
    let jwk = serde_json::json!({ "kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256", "x": half(1), "y": half(33) });
    let mut config = IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    };
    config.clients.push(Registered {
        id: "keyed".to_owned(),
        jwk: Some(jwk),
        ..Registered::default()
    });
    let idp = Idp::start(config).await.unwrap();
    let provider = Provider::discover(idp.issuer().as_str())
        .await
        .unwrap();
    let key = portcullis_client::PrivateKey::from_pem(pair.serialize_pem().as_bytes(), Some("k"))
        .unwrap();
    let client = Client::new(provider, "keyed", Authentication::private_key(key));
    // Each assertion is new: the provider refuses a repeated one.
    for _ in 0..2 {
        client
            .client_credentials(&TokenRequest::new())
            .await
            .unwrap();
    }
}
