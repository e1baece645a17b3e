//! What a logout or an event ends and what it leaves, and what the reports tell of it.

use crate::receiver_setup::{send_event, send_logout, settings};
use metrics_exporter_prometheus::PrometheusBuilder;
use portcullis_idp::{EventBuilder, EventSubject, Flaw, IdpConfig, SecurityEvent};
use portcullis_resource_server::{EventOutcome, EventReport, ReceiverAnswer};
use portcullis_testkit::{ResourceServerSetup, server_on};
use serde_json::{Value, json};

async fn world(logout: &str, stream: &str) -> ResourceServerSetup {
    ResourceServerSetup::with(IdpConfig::default(), |idp| settings(idp, logout, stream)).await
}

fn report(answer: &ReceiverAnswer) -> &EventReport {
    let [report] = answer.reports.as_slice() else {
        panic!("{answer:?}");
    };
    report
}

/// Tokens of two sessions of alice, and one of bob.
fn tokens(world: &ResourceServerSetup) -> [String; 3] {
    let of = |name: &str, sid: &str| world.idp.token(name).claim("sid", sid).sign();
    [
        of("alice", "one"),
        of("alice", "other"),
        of("bob", "one-more"),
    ]
}

async fn decide(world: &ResourceServerSetup, tokens: &[String; 3]) -> [String; 3] {
    let [one, other, bob] = tokens;
    [
        world.decide(one).await,
        world.decide(other).await,
        world.decide(bob).await,
    ]
}

#[tokio::test]
async fn a_logout_of_a_session_ends_that_one() {
    let world = world("", "").await;
    let tokens = tokens(&world);
    assert_eq!(decide(&world, &tokens).await, ["allow", "allow", "allow"]);
    let logout = world.idp.logout_token("alice", "web").session("one");
    let logout = logout.sign();
    let answer = send_logout(&world.server, &logout).await;
    assert_eq!(answer.response.status(), 200);
    let report = report(&answer);
    assert_eq!(
        (report.receiver.as_str(), report.event, report.outcome),
        ("logout", "backchannel-logout", EventOutcome::Applied)
    );
    assert_eq!((report.marks.len(), &report.facts), (1, &None));
    // 16 random bytes in base64url.
    assert_eq!(report.token_id.as_deref().map(str::len), Some(22));
    assert_eq!(
        decide(&world, &tokens).await,
        ["token.revoked", "allow", "allow"]
    );
    let again = send_logout(&world.server, &logout).await;
    assert_eq!(again.response.status(), 200);
    let again = self::report(&again);
    assert_eq!(again.outcome, EventOutcome::Repeated);
    assert_eq!(again.token_id, report.token_id);
    assert!(again.marks.is_empty());
}

#[tokio::test]
async fn a_logout_without_a_session_ends_all_of_the_person() {
    let world = world("", "").await;
    let tokens = tokens(&world);
    let logout = world.idp.logout_token("alice", "web");
    let logout = logout.flaw(Flaw::NoClaim("sid".to_owned())).sign();
    let answer = send_logout(&world.server, &logout).await;
    assert_eq!(report(&answer).marks.len(), 1);
    let expected = ["token.revoked", "token.revoked", "allow"];
    assert_eq!(decide(&world, &tokens).await, expected);
}

#[tokio::test]
async fn a_logout_of_a_session_ends_all_of_the_person_where_the_settings_say_so() {
    let world = world("ends = \"subject\"", "").await;
    let tokens = tokens(&world);
    let logout = world.idp.logout_token("alice", "web").session("one");
    let answer = send_logout(&world.server, &logout.sign()).await;
    assert_eq!(report(&answer).marks.len(), 2);
    let expected = ["token.revoked", "token.revoked", "allow"];
    assert_eq!(decide(&world, &tokens).await, expected);
}

async fn take(world: &ResourceServerSetup, event: EventBuilder) -> (EventOutcome, usize) {
    let answer = send_event(&world.server, &event.sign("receiver")).await;
    assert_eq!(answer.response.status(), 202, "{answer:?}");
    let report = report(&answer);
    assert_eq!((report.receiver.as_str(), &report.facts), ("idp", &None));
    (report.outcome, report.marks.len())
}

#[tokio::test]
async fn an_event_ends_what_it_names() {
    let world = world("", "").await;
    let tokens = tokens(&world);
    let event = |event| world.idp.event("alice", event);
    let session = EventSubject::Complex {
        session: Some("one".to_owned()),
        device: None,
    };
    let revoked = event(SecurityEvent::SessionRevoked).subject(session);
    let applied = (EventOutcome::Applied, 1);
    assert_eq!(take(&world, revoked).await, applied);
    let expected = ["token.revoked", "allow", "allow"];
    assert_eq!(decide(&world, &tokens).await, expected);
    let disabled = event(SecurityEvent::AccountDisabled);
    assert_eq!(take(&world, disabled).await, applied);
    let expected = ["token.revoked", "token.revoked", "allow"];
    assert_eq!(decide(&world, &tokens).await, expected);
}

/// A session may be named as a subject of the issuer; an address is none.
#[tokio::test]
async fn a_session_is_known_by_more_than_one_format() {
    let world = world("", "").await;
    let issuer = world.idp.issuer();
    let tokens = tokens(&world);
    let user = json!({ "format": "iss_sub", "iss": issuer.as_str(), "sub": "nobody" });
    let revoke = async |session: Value| {
        let subject = json!({ "format": "complex", "user": user, "session": session });
        let event = world.idp.event("alice", SecurityEvent::SessionRevoked);
        take(&world, event.subject(EventSubject::Other(subject))).await
    };
    let applied = (EventOutcome::Applied, 1);
    let address = json!({ "format": "email", "email": "one" });
    assert_eq!(revoke(address).await, applied);
    assert_eq!(decide(&world, &tokens).await, ["allow", "allow", "allow"]);
    let session = json!({ "format": "iss_sub", "iss": issuer.as_str(), "sub": "one" });
    assert_eq!(revoke(session).await, applied);
    let expected = ["token.revoked", "allow", "allow"];
    assert_eq!(decide(&world, &tokens).await, expected);
}

#[tokio::test]
async fn an_event_that_ends_nothing_is_reported_as_that() {
    let world = world("", "").await;
    let tokens = tokens(&world);
    let event = |event| world.idp.event("alice", event);
    let ignored = (EventOutcome::Ignored, 0);
    let presented = event(SecurityEvent::SessionPresented);
    assert_eq!(take(&world, presented).await, ignored);
    // A new password beside the others takes none away.
    let created = SecurityEvent::CredentialChange {
        credential_type: "password".to_owned(),
        change_type: "create".to_owned(),
    };
    assert_eq!(take(&world, event(created)).await, ignored);
    let unknown = event(SecurityEvent::SessionRevoked).flaw(Flaw::Claim(
        "events".to_owned(),
        json!({ "https://events.example/x": {} }),
    ));
    let answer = send_event(&world.server, &unknown.sign("receiver")).await;
    let unknown = report(&answer);
    assert_eq!((unknown.event, unknown.outcome), ("unknown", ignored.0));
    let nobody = event(SecurityEvent::AccountDisabled).subject(EventSubject::Email);
    assert_eq!(take(&world, nobody).await, (EventOutcome::Unmapped, 0));
    assert_eq!(decide(&world, &tokens).await, ["allow", "allow", "allow"]);
    let changed = SecurityEvent::CredentialChange {
        credential_type: "password".to_owned(),
        change_type: "update".to_owned(),
    };
    let applied = (EventOutcome::Applied, 1);
    assert_eq!(take(&world, event(changed)).await, applied);
}

#[tokio::test]
async fn an_event_is_taken_once() {
    let world = world("", "").await;
    let disabled = world
        .idp
        .event("alice", SecurityEvent::AccountDisabled);
    let disabled = disabled.sign("receiver");
    let outcomes = async || {
        let answer = send_event(&world.server, &disabled).await;
        let report = report(&answer);
        (report.event, report.outcome, report.marks.len())
    };
    let name = "account-disabled";
    assert_eq!(outcomes().await, (name, EventOutcome::Applied, 1));
    assert_eq!(outcomes().await, (name, EventOutcome::Repeated, 0));
}

fn about_stream(world: &ResourceServerSetup, name: &str, members: &Value) -> String {
    let uri = format!("https://schemas.openid.net/secevent/ssf/event-type/{name}");
    let events = Flaw::Claim("events".to_owned(), json!({ uri: members }));
    let event = world.idp.event("alice", SecurityEvent::SessionRevoked);
    let stream = EventSubject::Opaque("the-stream".to_owned());
    event.subject(stream).flaw(events).sign("receiver")
}

#[tokio::test]
async fn while_a_verification_is_expected_only_that_one_counts() {
    let world = world("", "").await;
    let verify = async |members: Value| {
        let event = about_stream(&world, "verification", &members);
        let answer = send_event(&world.server, &event).await;
        (
            answer.response.status().as_u16(),
            answer.response.into_body(),
        )
    };
    // Nobody asked here: another may have, or the transmitter does so by itself.
    assert_eq!(verify(json!({ "state": "other" })).await.0, 202);
    assert_eq!(verify(json!({})).await.0, 202);
    // Of another stream.
    world.server.expect_verification("okta", "mine").await;
    assert_eq!(verify(json!({ "state": "other" })).await.0, 202);
    world.server.expect_verification("idp", "mine").await;
    let (status, body) = verify(json!({ "state": "other" })).await;
    assert_eq!(status, 400);
    assert!(body.contains("\"invalid_state\""), "{body}");
    assert_eq!(verify(json!({ "state": "mine" })).await.0, 202);
    assert_eq!(verify(json!({})).await.0, 202);
}

/// What the alerts go by.
#[tokio::test]
async fn a_stream_that_its_transmitter_pauses_is_told() {
    let world = world("", "").await;
    let recorder = PrometheusBuilder::new().build_recorder();
    let settings = settings(&world.idp, "", "");
    let server = metrics::with_local_recorder(&recorder, || server_on(&world.clock, settings));
    let figure = |series: &str| {
        metrics::with_local_recorder(&recorder, || server.record_gauges());
        let text = recorder.handle().render();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}"))
            .trim()
            .parse::<f64>()
            .unwrap()
    };
    let enabled = "portcullis_event_stream_enabled{stream=\"idp\"}";
    let last = "portcullis_event_last_timestamp_seconds{stream=\"idp\"}";
    let began = figure(last);
    assert_eq!(figure(enabled), 1.0);
    for (status, expected) in [("paused", 0.0), ("enabled", 1.0), ("disabled", 0.0)] {
        world.clock.advance(std::time::Duration::from_secs(10));
        let event = about_stream(&world, "stream-updated", &json!({ "status": status }));
        let answer = send_event(&server, &event).await;
        assert_eq!(answer.response.status(), 202);
        assert_eq!(figure(enabled), expected, "{status}");
    }
    assert_eq!(figure(last) - began, 30.0);
    let taken = "portcullis_events_total{receiver=\"idp\",outcome=\"ignored\"}";
    assert_eq!(figure(taken), 3.0);
}
