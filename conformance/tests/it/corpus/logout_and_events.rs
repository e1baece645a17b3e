//! Logout tokens and security events through the receivers of the live server; and none of them is
//! an access token.

use crate::tally::Tally;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{
    Config, EventOutcome, ReceiverAnswer, ReceiverRequest, ResourceServer, Settings,
};
use portcullis_testkit::corpus::{document, rows};
use portcullis_testkit::{CorpusVerifier, NOW};
use serde_json::{Value, json};
use std::sync::Arc;

const SETTINGS: &str = r#"
[[issuer]]
url = "https://idp.example/tenant-a"
audience = "https://api.example/orders"
[issuer.logout]
clients = ["client-1"]

[[events]]
name = "stream-1"
issuer = "https://idp.example/tenant-a"
audience = "https://api.example/ssf"
"#;

/// Where the corpus leaves the choice, the choice we made: these are taken, the others refused.
const CHOSEN: &[&str] = &["lo-replay", "set-sub-id-unknown-format", "set-two-events"];

fn server() -> ResourceServer {
    let tokens = document("access-tokens.json");
    let keys = json!({ "keys": tokens["jwks"]["https://idp.example/tenant-a"] }).to_string();
    let keys = Jwks::parse(keys.as_bytes(), &Limits::default()).unwrap();
    let settings = Settings::try_from(Config::from_toml(SETTINGS).unwrap()).unwrap();
    ResourceServer::with_clock(
        settings.with_fixed_keys(&keys),
        Arc::new(TestClock::at(NumericDate::from_seconds(NOW))),
    )
}

async fn send(server: &ResourceServer, kind: &str, token: &str) -> ReceiverAnswer {
    let form = format!("logout_token={token}");
    let (path, media, body) = match kind {
        "logout" => (
            "/logout",
            "application/x-www-form-urlencoded",
            form.as_str(),
        ),
        "set" => ("/events/stream-1", "application/secevent+jwt", token),
        other => panic!("{other}"),
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    let request = ReceiverRequest {
        path,
        method: &Method::POST,
        headers: &headers,
        body: body.as_bytes(),
    };
    server.answer_receiver(&request).await
}

/// What the note of a row says that the transmitter is told: `err invalid_issuer`.
fn codes(row: &Value) -> Vec<&str> {
    let note = row["note"].as_str().unwrap_or_default();
    let words = note.split([' ', ',']);
    words
        .filter(|word| word.starts_with("invalid_") || *word == "authentication_failed")
        .collect()
}

#[tokio::test]
async fn every_token_gets_its_answer() {
    let document = document("logout-and-events.json");
    let server = server();
    server
        .expect_verification("stream-1", "expected-state")
        .await;
    let mut tally = Tally::new("corpus logout-and-events");
    for row in rows(&document) {
        let id = row["id"].as_str().unwrap();
        let (kind, token) = (
            row["kind"].as_str().unwrap(),
            row["token"].as_str().unwrap(),
        );
        let answer = send(&server, kind, token).await;
        let status = answer.response.status().as_u16();
        let taken = if kind == "logout" { 200 } else { 202 };
        let as_expected = match row["expect"].as_str().unwrap() {
            "accept" => status == taken,
            "reject" => status == 400,
            "either" => status == if CHOSEN.contains(&id) { taken } else { 400 },
            other => panic!("{other}"),
        };
        let codes = codes(row);
        let told = answer.response.body();
        let has_code =
            status != 400 || codes.is_empty() || codes.iter().any(|code| told.contains(code));
        tally.count(id, as_expected && has_code, || {
            format!("{status} {answer:?}")
        });
    }
    tally.finish(74);
}

/// What was taken ended something, or by its nature nothing; what was refused ended nothing.
#[tokio::test]
async fn only_what_is_taken_ends_tokens() {
    let document = document("logout-and-events.json");
    for row in rows(&document) {
        let server = server();
        server
            .expect_verification("stream-1", "expected-state")
            .await;
        let (kind, token) = (
            row["kind"].as_str().unwrap(),
            row["token"].as_str().unwrap(),
        );
        let answer = send(&server, kind, token).await;
        let entries = server.status().revocation.entries;
        let applied = answer
            .reports
            .iter()
            .any(|it| it.outcome == EventOutcome::Applied);
        assert_eq!(entries > 0, applied, "{row}");
        assert!(
            answer.response.status().is_success() || entries == 0,
            "{row}"
        );
        // Told again, it changes nothing.
        send(&server, kind, token).await;
        assert_eq!(server.status().revocation.entries, entries, "{row}");
    }
}

#[test]
fn none_of_them_is_an_access_token() {
    let document = document("logout-and-events.json");
    let tokens = portcullis_testkit::corpus::document("access-tokens.json");
    let mut tally = Tally::new("corpus logout-and-events, as access tokens");
    for name in ["default", "lenient-typ"] {
        let line = CorpusVerifier::new(&tokens, name);
        for row in rows(&document) {
            let id = row["id"].as_str().unwrap();
            let result = line.verify(row["token"].as_str().unwrap());
            // But for the one that is an access token, sent where another kind is expected.
            let is_one = id == "lo-is-access-token";
            tally.count(id, result.is_ok() == is_one, || format!("{name}: accepted"));
        }
    }
    tally.finish(148);
}

#[tokio::test]
async fn no_answer_tells_what_was_sent() {
    let document = document("logout-and-events.json");
    let server = server();
    for row in rows(&document) {
        let (kind, token) = (
            row["kind"].as_str().unwrap(),
            row["token"].as_str().unwrap(),
        );
        let answer = send(&server, kind, token).await;
        let told = format!("{:?}", answer.response);
        for secret in [
            "user-1",
            "session-1",
            "idp.example",
            "client-",
            "set-",
            "lt-",
        ] {
            assert!(!told.contains(secret), "{row}: {told}");
        }
    }
}
