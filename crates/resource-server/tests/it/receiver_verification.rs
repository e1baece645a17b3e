//! A verification that somebody asks for who is no receiver, such as the command: every replica of
//! the store expects it.

use crate::receiver_setup::{send_event, settings};
use crate::redis::Redis;
use portcullis_idp::{EventSubject, Flaw, IdpConfig, SecurityEvent};
use portcullis_testkit::ResourceServerSetup;
use serde_json::json;

const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_a_command_asks_for_is_expected_at_a_replica() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let store = format!("[revocation]\nstore = \"{}\"", redis.url());
    let config = IdpConfig::default();
    let world = ResourceServerSetup::with(config, |idp| settings(idp, "", &store)).await;
    let verify = async |state: &str| {
        let events = json!({ VERIFICATION: { "state": state } });
        let event = world.idp.event("alice", SecurityEvent::SessionRevoked);
        let event = event
            .subject(EventSubject::Opaque("the-stream".to_owned()))
            .flaw(Flaw::Claim("events".to_owned(), events));
        let answer = send_event(&world.server, &event.sign("receiver")).await;
        answer.response.status().as_u16()
    };
    assert_eq!(verify("other").await, 202);
    let issuer = world.idp.issuer().as_str();
    let settings = settings(&world.idp, "", &store);
    let expected = settings
        .expected_verification(issuer, "s-1", "mine")
        .unwrap();
    expected.announce().await.unwrap();
    assert!(!expected.has_come().await.unwrap());
    assert_eq!(verify("other").await, 400);
    assert!(!expected.has_come().await.unwrap());
    assert_eq!(verify("mine").await, 202);
    assert!(expected.has_come().await.unwrap());
    let of = |transmitter, store: &str| {
        let settings = crate::receiver_setup::settings(&world.idp, "", store);
        settings.expected_verification(transmitter, "s-1", "mine")
    };
    let fault = |transmitter, audience: &str, store: &str| {
        let settings = crate::receiver_setup::settings(&world.idp, "", store);
        let audience = [audience.to_owned()];
        let fault = settings.find_receiver_fault(transmitter, "s-1", &audience);
        fault.map(|fault| fault.place().to_owned())
    };
    for (transmitter, audience, store, place) in [
        (issuer, "receiver", &*store, None),
        ("https://other.example", "receiver", &store, Some("events")),
        (issuer, "another", &store, Some("events.audience")),
        (issuer, "receiver", "", Some("revocation.store")),
    ] {
        let found = fault(transmitter, audience, store);
        assert_eq!(found.as_deref(), place, "{transmitter} {audience}");
    }
    assert!(of("https://other.example", &store).is_none());
    assert!(of(issuer, "").is_none(), "nobody would hear of it");
}
