//! People sign in at the development identity provider: code with PKCE, pushed and bound, the
//! loopback redirect, refresh, the device grant, logout; and invalid ID tokens.

use crate::scripted::{eventually, ticking};
use portcullis_client::clock::TestClock;
use portcullis_client::{
    Authentication, Client, CodeFlow, DpopKey, Error, LoopbackRedirect, Provider, TokenKind,
    TokenRequest, TokenResponse,
};
use portcullis_core::token::NumericDate;
use portcullis_idp::{Flaw, FlowToken, Idp, IdpConfig};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use url::Url;

const CALLBACK: &str = "http://127.0.0.1/callback";

async fn start(config: IdpConfig) -> (Idp, Client) {
    let idp = Idp::start(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..config
    })
    .await
    .unwrap();
    let provider = Provider::discover(idp.issuer().as_str())
        .await
        .unwrap();
    (idp, Client::new(provider, "web", Authentication::public()))
}

fn openid() -> TokenRequest {
    TokenRequest::new().scope("openid orders:read")
}

/// Signs alice in with a browser, and returns the callback.
async fn sign_in(url: &Url) -> Url {
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let request = browser
        .post(url.clone())
        .header("content-type", "application/x-www-form-urlencoded");
    let response = request
        .body("username=alice&password=alice")
        .send()
        .await
        .unwrap();
    let location = response
        .headers()
        .get("location")
        .map(|location| location.to_str().unwrap().to_owned());
    match location {
        Some(location) => Url::parse(&location).unwrap(),
        None => panic!("{}", response.text().await.unwrap()),
    }
}

async fn flow(client: &Client) -> (CodeFlow, String) {
    let flow = client
        .authorization_code(&openid())
        .start(CALLBACK)
        .await
        .unwrap();
    let back = sign_in(flow.url()).await;
    (flow, back.query().unwrap().to_owned())
}

async fn tokens(client: &Client) -> Result<TokenResponse, Error> {
    let (flow, query) = flow(client).await;
    flow.finish(&query).await
}

fn reason(result: Result<TokenResponse, Error>) -> String {
    match result {
        Err(Error::InvalidResponse(invalid)) => invalid.reason().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn alice_signs_in_and_stays_signed_in() {
    let (_idp, client) = start(IdpConfig::default()).await;
    let first = tokens(&client).await.unwrap();
    let id_token = first.id_token().unwrap();
    assert_eq!(
        id_token.claim("name").and_then(|name| name.as_str()),
        Some("Alice Adams")
    );
    assert!(first.scope().contains("orders:read") && first.withheld_scope().is_empty());
    let old = first.refresh_token().unwrap();
    assert_eq!(old.subject(), Some(id_token.subject()));
    let second = client
        .refresh(old, &TokenRequest::new())
        .await
        .unwrap();
    assert_eq!(second.id_token().unwrap().subject(), id_token.subject());
    assert_ne!(second.access_token(), first.access_token());
    let new = second.refresh_token().unwrap();
    assert_ne!(new.expose(), old.expose());
    // The old token was good once. Whether the provider now distrusts the new one too is up to it.
    let refused = client
        .refresh(old, &TokenRequest::new())
        .await
        .unwrap_err();
    assert_eq!(
        refused.refusal().map(|refusal| refusal.error()),
        Some("invalid_grant")
    );
}

#[tokio::test]
async fn a_refresh_is_for_the_same_person() {
    let (_idp, client) = start(IdpConfig::default()).await;
    let first = tokens(&client).await.unwrap();
    let claimed = first
        .refresh_token()
        .unwrap()
        .clone()
        .with_subject("bob");
    let error = reason(client.refresh(&claimed, &TokenRequest::new()).await);
    assert_eq!(
        error,
        "the ID token: its `sub` is not the person who signed in before"
    );
}

#[tokio::test]
async fn revoked_is_revoked() {
    let (_idp, client) = start(IdpConfig::default()).await;
    let tokens = tokens(&client).await.unwrap();
    client
        .revoke_access_token(tokens.access_token())
        .await
        .unwrap();
    client
        .revoke_refresh_token(tokens.refresh_token().unwrap())
        .await
        .unwrap();
    let refused = client
        .refresh(tokens.refresh_token().unwrap(), &TokenRequest::new())
        .await
        .unwrap_err();
    assert_eq!(
        refused.refusal().map(|refusal| refusal.error()),
        Some("invalid_grant")
    );
}

#[tokio::test]
async fn the_browser_carries_a_reference_only_where_the_request_is_pushed() {
    let (_idp, client) = start(IdpConfig::default()).await;
    let request = client
        .authorization_code(&openid())
        .pushed_request(true)
        .login_hint("alice");
    let flow = request.start(CALLBACK).await.unwrap();
    let names: Vec<String> = flow
        .url()
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    let back = sign_in(flow.url()).await;
    assert!(
        flow.finish(back.query().unwrap())
            .await
            .unwrap()
            .id_token()
            .is_some()
    );
}

#[tokio::test]
async fn tokens_are_bound_to_a_key_with_and_without_nonces() {
    for dpop_nonce in [false, true] {
        let (_idp, client) = start(IdpConfig {
            dpop_nonce,
            ..IdpConfig::default()
        })
        .await;
        let client = client.dpop(DpopKey::generate().unwrap());
        for pushed in [false, true] {
            let flow = client
                .authorization_code(&openid())
                .pushed_request(pushed)
                .start(CALLBACK)
                .await
                .unwrap();
            let back = sign_in(flow.url()).await;
            let tokens = flow.finish(back.query().unwrap()).await.unwrap();
            assert_eq!(tokens.access_token().kind(), TokenKind::Dpop);
            let refreshed = client
                .refresh(tokens.refresh_token().unwrap(), &TokenRequest::new())
                .await
                .unwrap();
            assert_eq!(refreshed.access_token().kind(), TokenKind::Dpop);
        }
    }
}

#[tokio::test]
async fn an_id_token_that_does_not_fit_ends_the_flow() {
    let (idp, client) = start(IdpConfig::default()).await;
    let claim = |name: &str, value| Flaw::Claim(name.to_owned(), value);
    for (flaw, told) in [
        (claim("nonce", json!("another")), "its `nonce`"),
        (Flaw::NoClaim("nonce".to_owned()), "its `nonce`"),
        (claim("aud", json!("another")), "its `aud`"),
        (claim("azp", json!("another")), "its `azp`"),
        (claim("iss", json!("https://other.example")), "its `iss`"),
        (
            claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
            "its `at_hash`",
        ),
        (Flaw::NoClaim("sub".to_owned()), "no `sub`"),
        (Flaw::Expired, "expired"),
        (Flaw::NotYetValid, "future"),
        (Flaw::WrongKey, "signature"),
        (Flaw::SignatureFlipped, "signature"),
        (Flaw::Unsigned, "`none`"),
        (Flaw::HmacWithPublicKey, "`HS256`"),
        (Flaw::Header("typ".to_owned(), json!("logout+jwt")), "`typ`"),
        (Flaw::Header("crit".to_owned(), json!(["exp"])), "crit"),
    ] {
        idp.spoil_next(FlowToken::Id, [flaw.clone()]);
        let error = reason(tokens(&client).await);
        assert!(
            error.starts_with("the ID token: ") && error.contains(told),
            "{flaw:?}: {error}"
        );
    }
    assert!(tokens(&client).await.is_ok());
}

/// Straight from the token endpoint, together with the access token of its `at_hash`, an ID token
/// may have other audiences too.
#[tokio::test]
async fn an_id_token_for_several_audiences_is_bound_by_the_access_token_beside_it() {
    let (idp, client) = start(IdpConfig::default()).await;
    let claim = |name: &str, value| Flaw::Claim(name.to_owned(), value);
    let without = |name: &str| Flaw::NoClaim(name.to_owned());
    let several = || [claim("aud", json!(["web", "api"])), without("azp")];
    idp.spoil_next(FlowToken::Id, several());
    let first = tokens(&client).await.unwrap();
    idp.spoil_next(FlowToken::Id, several());
    assert!(
        client
            .refresh(first.refresh_token().unwrap(), &TokenRequest::new())
            .await
            .is_ok()
    );
    let spoilt = |more: Flaw| several().into_iter().chain([more]).collect::<Vec<_>>();
    for (more, told) in [
        (without("at_hash"), "--trusted-audience"),
        (
            claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
            "its `at_hash`",
        ),
        (claim("nonce", json!("another")), "its `nonce`"),
        (claim("azp", json!("api")), "its `azp`"),
        (claim("aud", json!(["api", "other"])), "its `aud`"),
    ] {
        idp.spoil_next(FlowToken::Id, spoilt(more.clone()));
        let error = reason(tokens(&client).await);
        assert!(error.contains(told), "{more:?}: {error}");
    }
    idp.spoil_next(FlowToken::Id, spoilt(without("at_hash")));
    assert!(
        tokens(&client.trusting_audiences(["api"]))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn keys_that_come_later_are_found() {
    let (idp, client) = start(IdpConfig::default()).await;
    assert!(tokens(&client).await.is_ok());
    idp.rotate(portcullis_idp::Overlap::Without).await;
    assert!(tokens(&client).await.is_ok());
}

#[tokio::test]
async fn a_callback_of_another_flow_or_provider_is_refused() {
    let (_idp, client) = start(IdpConfig::default()).await;
    let changed = async |change: &dyn Fn(&str) -> String| {
        let (flow, query) = flow(&client).await;
        reason(flow.finish(&change(&query)).await)
    };
    let without = |name: &'static str| {
        move |query: &str| {
            let kept = query
                .split('&')
                .filter(|pair| !pair.starts_with(&format!("{name}=")));
            kept.collect::<Vec<_>>().join("&")
        }
    };
    assert!(
        changed(&without("state"))
            .await
            .contains("another flow")
    );
    assert!(
        changed(&|query| format!("{}&state=x", without("state")(query)))
            .await
            .contains("another flow")
    );
    assert!(
        changed(&without("iss"))
            .await
            .contains("does not say of which provider")
    );
    let other = |query: &str| format!("{}&iss=https%3A%2F%2Fother.example", without("iss")(query));
    assert!(changed(&other).await.contains("of another provider"));
    assert!(
        changed(&|query| format!("{query}&code=x"))
            .await
            .contains("`code` twice")
    );
    assert!(changed(&without("code")).await.contains("neither"));
}

#[tokio::test]
async fn the_loopback_redirect_takes_the_one_callback_and_nothing_else() {
    let (_idp, client) = start(IdpConfig::default()).await;
    let place = LoopbackRedirect::bind().await.unwrap();
    let here = Url::parse(&place.redirect_uri()).unwrap();
    let flow = client
        .authorization_code(&openid())
        .start(here.as_str())
        .await
        .unwrap();
    let back = sign_in(flow.url()).await;
    let browser = reqwest::Client::new();
    let visits = async {
        // A silent connection does not block the others.
        let _silent = tokio::net::TcpStream::connect(here.socket_addrs(|| None).unwrap()[0])
            .await
            .unwrap();
        let visit = async |url: &str| browser.get(url).send().await.unwrap();
        assert_eq!(
            visit(here.join("/favicon.ico").unwrap().as_str())
                .await
                .status(),
            404
        );
        assert_eq!(
            visit(&format!("{here}?code=x&state=guessed"))
                .await
                .status(),
            400
        );
        assert_eq!(visit(here.as_str()).await.status(), 400);
        assert_eq!(
            browser
                .post(back.clone())
                .send()
                .await
                .unwrap()
                .status(),
            405
        );
        let rebound = browser
            .get(back.clone())
            .header("host", "evil.example")
            .send()
            .await
            .unwrap();
        assert_eq!(rebound.status(), 421);
        let page = visit(back.as_str()).await;
        assert_eq!(
            (
                page.status().as_u16(),
                page.headers()["cache-control"].to_str().unwrap()
            ),
            (200, "no-store")
        );
        let page = page.text().await.unwrap();
        assert!(page.contains("You can close this window"));
        for (_, value) in back.query_pairs() {
            assert!(!page.contains(&*value), "{page}");
        }
    };
    let (query, ()) = tokio::join!(place.receive(&flow, Duration::from_secs(60)), visits);
    let query = query.unwrap();
    assert!(flow.expects(&query));
    assert!(flow.finish(&query).await.is_ok());
    // The port is closed again.
    assert!(browser.get(here).send().await.is_err());
}

#[tokio::test]
async fn nobody_is_waited_for_without_end() {
    let clock = Arc::new(TestClock::at(NumericDate::from(SystemTime::now())));
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let provider = Provider::builder(idp.issuer().as_str())
        .unwrap()
        .clock(clock.clone())
        .build();
    let client = Client::new(provider, "web", Authentication::public());
    let place = LoopbackRedirect::bind().await.unwrap();
    let flow = client
        .authorization_code(&openid())
        .start(&place.redirect_uri())
        .await
        .unwrap();
    let waiting = place.receive(&flow, Duration::from_secs(300));
    let (error, ()) = tokio::join!(waiting, async {
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(300));
    });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("nobody signed in")
    );
}

#[tokio::test]
async fn a_person_signs_in_on_another_device() {
    let clock = Arc::new(TestClock::at(NumericDate::from(SystemTime::now())));
    let config = IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    };
    let (idp_clock, start) = (clock.clone(), SystemTime::now());
    let now = move || {
        use portcullis_client::clock::Clock as _;
        (start + idp_clock.elapsed())
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    let idp = Idp::start_at(config, now).await.unwrap();
    let provider = Provider::builder(idp.issuer().as_str())
        .unwrap()
        .clock(clock.clone())
        .build();
    let client = Client::new(provider, "web", Authentication::public());

    let flow = client.device(&openid()).await.unwrap();
    let code = flow.user_code().to_owned();
    assert!(flow.verification_uri().as_str().ends_with("/device"));
    assert!(
        flow.verification_uri_complete()
            .unwrap()
            .as_str()
            .contains(&code)
    );
    let asked = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&asked);
    let waiting = tokio::spawn(flow.finish(move |_| _ = told.fetch_add(1, Ordering::SeqCst)));
    for polls in 1..=3 {
        eventually(|| asked.load(Ordering::SeqCst) == polls).await;
        if polls == 3 {
            assert!(idp.allow_device(&code, "alice"));
        }
        clock.advance(Duration::from_secs(6));
    }
    let tokens = waiting.await.unwrap().unwrap();
    assert_eq!(
        tokens
            .id_token()
            .unwrap()
            .claim("name")
            .and_then(|name| name.as_str()),
        Some("Alice Adams")
    );

    let flow = client.device(&openid()).await.unwrap();
    assert!(idp.deny_device(flow.user_code()));
    let error = ticking(&clock, flow.finish(|_| ())).await.unwrap_err();
    assert_eq!(
        error.refusal().map(|refusal| refusal.error()),
        Some("access_denied")
    );
}

#[tokio::test]
async fn the_page_for_signing_out_knows_who_asks() {
    let (_idp, client) = start(IdpConfig::default()).await;
    let tokens = tokens(&client).await.unwrap();
    let hint = tokens.id_token().unwrap().expose();
    let url = client
        .logout_url(Some(hint), None, Some("s"))
        .await
        .unwrap();
    let page = reqwest::get(url).await.unwrap();
    assert_eq!(page.status(), 200, "{}", page.text().await.unwrap());
}
