//! Issuers with a path publish their metadata in one of four places, and sometimes one part here
//! and the other there.

use crate::setup::{idp, server};
use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, clock, decide};
use std::sync::{Arc, Mutex};

/// An issuer at `/tenants/x` that answers only at this well-known path.
async fn issuer_with(well_known: &'static str, jwks: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let issuer = format!("{origin}/tenants/x");
    let metadata = format!("{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{origin}/keys\"}}");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let app = Router::new()
        .route(well_known, get(async move || metadata))
        .route("/keys", get(async move || jwks))
        .layer(axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                seen.lock()
                    .unwrap()
                    .push(request.uri().path().to_owned());
                next.run(request)
            },
        ));
    tokio::spawn(async { axum::serve(listener, app).await });
    (issuer, asked)
}

#[tokio::test]
async fn each_of_the_four_places_is_found_in_order() {
    let places = [
        "/tenants/x/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenants/x",
        "/.well-known/openid-configuration/tenants/x",
        "/tenants/x/.well-known/oauth-authorization-server",
    ];
    for (index, place) in places.into_iter().enumerate() {
        let clock = clock();
        let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
        let (issuer, asked) = issuer_with(place, signer.jwks()).await;
        let token = signer.token("alice").issuer(&issuer).sign();
        assert_eq!(
            decide(&server(&issuer, &clock), &token).await,
            "allow",
            "{place}"
        );
        let mut expected: Vec<&str> = places.into_iter().take(index + 1).collect();
        expected.push("/keys");
        assert_eq!(*asked.lock().unwrap(), expected);
    }
}

/// A provider at `/x` with these documents, `{origin}` filled in; what is not among them is a page,
/// as of a single-page application. Its introspection endpoint knows every token.
async fn provider(
    documents: &'static [(&'static str, &'static str)],
    jwks: String,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let issuer = format!("{origin}/x");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let active = serde_json::json!({
        "active": true, "iss": issuer, "aud": AUDIENCE, "sub": "alice", "client_id": "c", "token_type": "Bearer",
        "exp": 1_800_000_600, "iat": 1_800_000_000, "scope": "read",
    });
    let app = Router::new().fallback(async move |uri: http::Uri| {
        let path = uri.path();
        seen.lock().unwrap().push(path.to_owned());
        let json = |text: String| ([("content-type", "application/json")], text).into_response();
        match (path, documents.iter().find(|(known, _)| *known == path)) {
            ("/keys", _) => json(jwks.clone()),
            ("/introspect", _) => json(active.to_string()),
            (_, Some((_, text))) => json(text.replace("{origin}", &origin)),
            (_, None) => (
                [("content-type", "text/html")],
                "<!doctype html><title>App</title>",
            )
                .into_response(),
        }
    });
    tokio::spawn(async { axum::serve(listener, app).await });
    (issuer, asked)
}

fn asking(issuer: &str, clock: &Arc<TestClock>) -> ResourceServer {
    let text = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = \"{AUDIENCE}\"\n[issuer.introspection]\nauth = \"none\"\n"
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    ResourceServer::with_clock(settings, Arc::<TestClock>::clone(clock))
}

const OPENID: &str = "/x/.well-known/openid-configuration";
const OAUTH: &str = "/x/.well-known/oauth-authorization-server";
const BOTH: &str = r#"{"issuer":"{origin}/x","jwks_uri":"{origin}/keys","introspection_endpoint":"{origin}/introspect"}"#;
const KEYS: &str =
    r#"{"issuer":"{origin}/x","jwks_uri":"{origin}/keys","introspection_endpoint":null}"#;
const ASKING: &str = r#"{"issuer":"{origin}/x","introspection_endpoint":"{origin}/introspect"}"#;
const STRANGER: &str = r#"{"issuer":"{origin}/y","introspection_endpoint":"{origin}/introspect"}"#;

#[tokio::test]
async fn documents_fill_the_gaps_of_each_other() {
    for documents in [
        &[(OPENID, KEYS), (OAUTH, ASKING)][..],
        &[(OPENID, ASKING), (OAUTH, KEYS)],
        &[(OAUTH, BOTH)],
    ] {
        let clock = clock();
        let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
        let (issuer, asked) = provider(documents, signer.jwks()).await;
        let server = asking(&issuer, &clock);
        let token = signer.token("alice").issuer(&issuer).sign();
        assert_eq!(decide(&server, &token).await, "allow", "{documents:?}");
        assert_eq!(
            decide(&server, "an-opaque-token").await,
            "allow",
            "{documents:?}"
        );
        assert!(server.is_ready());
        assert_eq!(
            asked.lock().unwrap().len(),
            6,
            "four addresses once, the keys and one question"
        );
    }
}

/// The usual provider is asked once, whatever else it could be asked.
#[tokio::test]
async fn nobody_asks_on_when_all_is_known() {
    let clock = clock();
    let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let (issuer, asked) = provider(&[(OPENID, BOTH), (OAUTH, BOTH)], signer.jwks()).await;
    assert_eq!(
        decide(&asking(&issuer, &clock), "an-opaque-token").await,
        "allow"
    );
    assert_eq!(
        asked
            .lock()
            .unwrap()
            .iter()
            .filter(|path| path.contains("well-known"))
            .count(),
        1
    );
    let (issuer, asked) = provider(&[(OPENID, KEYS)], signer.jwks()).await;
    let token = signer.token("alice").issuer(&issuer).sign();
    assert_eq!(decide(&server(&issuer, &clock), &token).await, "allow");
    assert_eq!(*asked.lock().unwrap(), [OPENID, "/keys"]);
}

#[tokio::test]
async fn without_an_introspection_endpoint_a_server_is_not_ready() {
    let clock = clock();
    let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    // A document of another issuer fills nothing.
    let (issuer, _) = provider(&[(OPENID, KEYS), (OAUTH, STRANGER)], signer.jwks()).await;
    let server = asking(&issuer, &clock);
    let token = signer.token("alice").issuer(&issuer).sign();
    assert_eq!(
        decide(&server, &token).await,
        "allow",
        "signed tokens need no questions"
    );
    assert_eq!(
        decide(&server, "an-opaque-token").await,
        "outage.introspection"
    );
    assert!(!server.is_ready());
}
