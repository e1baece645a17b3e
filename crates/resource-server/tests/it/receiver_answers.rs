//! What the senders of logouts and events hear, by how they send.

use crate::receiver_setup::{FORM, SET, headers, post, send_event, send_logout, settings};
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER,
};
use http::{HeaderMap, HeaderValue, Method, Response};
use portcullis_idp::{IdpConfig, SecurityEvent};
use portcullis_resource_server::{EventOutcome, ReceiverAnswer, ReceiverRequest};
use portcullis_testkit::ResourceServerSetup;
use serde_json::{Value, json};
use std::path::PathBuf;

async fn world(stream: &str) -> ResourceServerSetup {
    ResourceServerSetup::with(IdpConfig::default(), |idp| settings(idp, "", stream)).await
}

fn event(world: &ResourceServerSetup) -> String {
    let event = world
        .idp
        .event("alice", SecurityEvent::AccountDisabled);
    event.sign("receiver")
}

fn logout(world: &ResourceServerSetup) -> String {
    world.idp.logout_token("alice", "web").sign()
}

fn header(response: &Response<String>, name: http::HeaderName) -> Option<&str> {
    response
        .headers()
        .get(name)
        .map(|it| it.to_str().unwrap())
}

/// Why an answer refuses; none if it does not.
fn reason(answer: &ReceiverAnswer) -> Option<&str> {
    let [report] = answer.reports.as_slice() else {
        panic!("{answer:?}");
    };
    let is_refused = report.outcome == EventOutcome::Refused;
    assert_eq!(is_refused, answer.response.status() == 400);
    assert_eq!(report.facts.is_some(), is_refused);
    assert!(!is_refused || report.event == "none");
    report.facts.as_deref()
}

#[tokio::test]
async fn what_was_taken_is_answered_in_the_words_of_each_standard() {
    let world = world("").await;
    for (answer, status) in [
        (send_logout(&world.server, &logout(&world)).await, 200),
        (send_event(&world.server, &event(&world)).await, 202),
    ] {
        let response = &answer.response;
        assert_eq!(response.status(), status);
        assert_eq!(response.body(), "");
        assert_eq!(header(response, CACHE_CONTROL), Some("no-store"));
        assert_eq!(header(response, CONTENT_TYPE), None);
        assert_eq!(reason(&answer), None);
    }
}

#[tokio::test]
async fn what_was_refused_is_answered_in_the_words_of_each_standard() {
    let world = world("").await;
    let logout = world.idp.logout_token("alice", "service").sign();
    let event = world
        .idp
        .event("alice", SecurityEvent::AccountDisabled);
    let event = event.sign("another");
    for (answer, body) in [
        (
            send_logout(&world.server, &logout).await,
            json!({
                "error": "invalid_request",
                "error_description": "the audience is not this receiver",
            }),
        ),
        (
            send_event(&world.server, &event).await,
            json!({
                "err": "invalid_audience",
                "description": "the audience is not this receiver",
            }),
        ),
    ] {
        let response = &answer.response;
        // The order of the members is that of whatever else the program is built with.
        let found: Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!((response.status().as_u16(), found), (400, body));
        assert_eq!(header(response, CACHE_CONTROL), Some("no-store"));
        assert_eq!(header(response, CONTENT_TYPE), Some("application/json"));
        assert_eq!(header(response, CONTENT_LANGUAGE), Some("en"));
        let reason = reason(&answer).unwrap();
        assert!(reason.starts_with("invalid_audience: expected"), "{reason}");
        assert!(answer.reports[0].token_id.is_some());
    }
}

#[tokio::test]
async fn another_method_is_told_which_one_counts() {
    let world = world("").await;
    for path in ["/logout", "/events/idp"] {
        let request = ReceiverRequest {
            path,
            method: &Method::GET,
            headers: &HeaderMap::new(),
            body: b"",
        };
        let answer = world.server.answer_receiver(&request).await;
        assert_eq!(answer.response.status(), 405);
        assert_eq!(header(&answer.response, ALLOW), Some("POST"));
        assert_eq!(header(&answer.response, CACHE_CONTROL), Some("no-store"));
        assert!(answer.reports.is_empty());
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_reason_to_forget_what_it_said() {
    let world = world("").await;
    let (logout, event) = (logout(&world), event(&world));
    let ResourceServerSetup { idp, server, .. } = world;
    idp.shutdown().await;
    for answer in [
        send_logout(&server, &logout).await,
        send_event(&server, &event).await,
    ] {
        assert_eq!(answer.response.status(), 503);
        let seconds = header(&answer.response, RETRY_AFTER).unwrap();
        assert!(seconds.parse::<u64>().unwrap() >= 1, "{seconds}");
        assert_eq!(header(&answer.response, CACHE_CONTROL), Some("no-store"));
        assert_eq!(answer.response.body(), "");
        let [report] = answer.reports.as_slice() else {
            panic!("{answer:?}");
        };
        assert_eq!(report.outcome, EventOutcome::Failed);
        let facts = report.facts.as_deref().unwrap();
        assert!(facts.starts_with("outage.metadata: "), "{facts}");
    }
}

#[tokio::test]
async fn a_logout_is_one_token_in_a_form() {
    let world = world("").await;
    let token = logout(&world);
    let send = async |media, body: String| {
        let headers = headers(media);
        let answer = post(&world.server, "/logout", &headers, body.as_bytes()).await;
        reason(&answer).map(str::to_owned)
    };
    let refused = |reason: &str| Some(format!("invalid_request: expected {reason}"));
    let form = format!("logout_token={token}");
    let expected = refused("a `logout_token`, found none");
    assert_eq!(send(FORM, String::new()).await, expected);
    assert_eq!(send(FORM, format!("token={token}")).await, expected);
    let twice = format!("{form}&{form}");
    let expected = refused("one `logout_token`, found several");
    assert_eq!(send(FORM, twice).await, expected);
    let other = refused(&format!("the type `{FORM}`, found another one"));
    assert_eq!(send("application/json", form.clone()).await, other);
    let more = format!("x=1&{form}&y=2");
    let media = "Application/X-WWW-Form-Urlencoded ; charset=UTF-8";
    assert_eq!(send(media, more).await, None);
}

#[tokio::test]
async fn an_event_is_the_body_of_one_type() {
    let world = world("").await;
    let token = event(&world);
    let send = async |headers: &HeaderMap, body: &[u8]| {
        let answer = post(&world.server, "/events/idp", headers, body).await;
        reason(&answer).map(str::to_owned)
    };
    let refused = |reason: &str| Some(format!("invalid_request: expected {reason}"));
    let none = refused(&format!("the type `{SET}`, found none"));
    assert_eq!(send(&HeaderMap::new(), token.as_bytes()).await, none);
    let other = refused(&format!("the type `{SET}`, found another one"));
    assert_eq!(
        send(&headers("application/jwt"), token.as_bytes()).await,
        other
    );
    let mut twice = headers(SET);
    twice.append(CONTENT_TYPE, HeaderValue::from_static(SET));
    assert_eq!(send(&twice, token.as_bytes()).await, other);
    let broken = refused("a token, found a body that is not UTF-8");
    assert_eq!(send(&headers(SET), b"\xff").await, broken);
    // A line break at the end is what files have.
    let line = format!("{token}\r\n");
    assert_eq!(send(&headers(SET), line.as_bytes()).await, None);
}

/// A file that is gone once the test is over.
struct SecretFile(PathBuf);

impl SecretFile {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("portcullis-receiver-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_stream_with_a_secret_is_heard_only_with_it() {
    let secret = SecretFile::new("authorization", "Bearer of-the-stream\n");
    let stream = format!("authorization_file = \"{}\"", secret.0.display());
    let world = world(&stream).await;
    let token = event(&world);
    let send = async |values: &[&'static str]| {
        let mut headers = headers(SET);
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        post(&world.server, "/events/idp", &headers, token.as_bytes()).await
    };
    let good = "Bearer of-the-stream";
    for values in [
        &[][..],
        &["Bearer of-the-strea"],
        &["Bearer of-the-stream "],
        &["Basic of-the-stream"],
        &[good, good],
        &[good, "Bearer x"],
    ] {
        let answer = send(values).await;
        let refused = "authentication_failed: expected the `Authorization` of the settings, \
            found another, or none";
        assert_eq!(reason(&answer), Some(refused), "{values:?}");
        assert!(
            answer
                .response
                .body()
                .contains("\"authentication_failed\"")
        );
    }
    assert_eq!(reason(&send(&[good]).await), None);
}
