//! The identity provider over real HTTP; another library reads its tokens.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should stop"
)]

mod authentication;
mod authorize;
mod console;
mod device;
mod dialect;
mod documented;
mod dpop;
mod events;
mod exchange;
mod faults;
mod introspect;
mod key;
mod life;
mod logout;
mod mutual_tls;
mod pushed;
mod receiver;
mod redemption;
mod refusals;
mod register;
mod ssf;
mod tokens;

use portcullis_idp::{Idp, IdpConfig, RegisteredClient, Secret};
use reqwest::{Response, redirect};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const CALLBACK: &str = "http://127.0.0.1:4711/callback";
pub(crate) const SERVICE: Option<(&str, &str)> = Some(("service", "service-secret"));

pub(crate) async fn idp() -> Idp {
    let defaults = IdpConfig::default();
    let mut clients = defaults.clients.clone();
    clients.push(RegisteredClient {
        id: "other".to_owned(),
        secret: Some(Secret::new("p:w d&=%")),
        ..clients[0].clone()
    });
    Idp::start(IdpConfig {
        clients,
        ..defaults
    })
    .await
    .unwrap()
}

/// The names of an object's members, sorted: whether `Value` keeps their order is up to what else
/// is built.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}

pub(crate) async fn post(
    idp: &Idp,
    path: &str,
    form: &str,
    basic: Option<(&str, &str)>,
) -> Response {
    let request = client()
        .post(format!("{}{path}", idp.issuer()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let request = match basic {
        Some((id, secret)) => request.basic_auth(id, Some(secret)),
        None => request,
    };
    request.send().await.unwrap()
}

pub(crate) async fn json(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

pub(crate) fn authorize_query(change: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid orders:read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "x y"),
        ("nonce", "n-1"),
    ];
    for (name, value) in change {
        parameters.retain(|(held, _)| held != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters).finish()
}

/// Signs alice in and answers with the code.
pub(crate) async fn code(idp: &Idp) -> String {
    let path = format!("/authorize?{}", authorize_query(&[]));
    let response = post(idp, &path, "username=alice&password=alice", None).await;
    assert_eq!(response.status(), 303);
    parameter(&response, "code").unwrap()
}

/// The usual settings with one more client, and with a key that is quick to make.
pub(crate) fn with_client(more: RegisteredClient) -> IdpConfig {
    let mut config = IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    };
    config.clients.push(more);
    config
}

/// A clock that stands still until it is set.
pub(crate) fn clock() -> (Arc<AtomicU64>, impl Fn() -> u64 + Send + Sync + 'static) {
    let time = Arc::new(AtomicU64::new(1_800_000_000));
    let read = Arc::clone(&time);
    (time, move || read.load(Ordering::SeqCst))
}

/// A parameter of the address that an answer redirects to.
pub(crate) fn parameter(response: &Response, name: &str) -> Option<String> {
    let url = url::Url::parse(response.headers().get("location")?.to_str().unwrap()).unwrap();
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) fn code_form(code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id=web&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
    )
}
