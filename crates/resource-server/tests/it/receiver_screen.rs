//! When keys are fetched: with the start, and never for a logout or an event that fails a check
//! without a key. Whoever can reach a receiver could have its provider asked otherwise.

use crate::receiver_setup::{send_event, send_logout, settings};
use portcullis_idp::{Endpoint, Flaw, IdpConfig, SecurityEvent};
use portcullis_testkit::ResourceServerSetup;

/// A server that is not started, so it has no keys yet.
async fn world() -> ResourceServerSetup {
    ResourceServerSetup::with(IdpConfig::default(), |idp| settings(idp, "", "")).await
}

#[tokio::test]
async fn a_logout_that_needs_no_key_to_be_refused_causes_no_fetch() {
    let world = world().await;
    let logout = || world.idp.logout_token("alice", "web");
    for junk in [
        world.idp.logout_token("alice", "service").sign(),
        logout().flaw(Flaw::Expired).sign(),
        logout().flaw(Flaw::Nonce).sign(),
        logout().flaw(Flaw::WrongType).sign(),
        logout().flaw(Flaw::NoEvents).sign(),
    ] {
        let answer = send_logout(&world.server, &junk).await;
        assert_eq!(answer.response.status(), 400);
    }
    assert_eq!(world.idp.requests(Endpoint::Jwks), 0);
    // One that only a key can refuse is worth a fetch, as a good one is.
    let unknown = logout().flaw(Flaw::UnknownKey).sign();
    let answer = send_logout(&world.server, &unknown).await;
    assert_eq!(answer.response.status(), 400);
    assert!(world.idp.requests(Endpoint::Jwks) > 0);
    let answer = send_logout(&world.server, &logout().sign()).await;
    assert_eq!(answer.response.status(), 200);
}

#[tokio::test]
async fn an_event_that_needs_no_key_to_be_refused_causes_no_fetch() {
    let world = world().await;
    let event = || {
        world
            .idp
            .event("alice", SecurityEvent::AccountDisabled)
    };
    for junk in [
        event().sign("another"),
        event().flaw(Flaw::WrongIssuer).sign("receiver"),
        event().flaw(Flaw::Expiry).sign("receiver"),
        event().flaw(Flaw::WrongType).sign("receiver"),
        event().flaw(Flaw::NoEvents).sign("receiver"),
    ] {
        let answer = send_event(&world.server, &junk).await;
        assert_eq!(answer.response.status(), 400);
    }
    assert_eq!(world.idp.requests(Endpoint::Jwks), 0);
    let unknown = event().flaw(Flaw::UnknownKey).sign("receiver");
    let answer = send_event(&world.server, &unknown).await;
    assert_eq!(answer.response.status(), 400);
    assert!(world.idp.requests(Endpoint::Jwks) > 0);
    let answer = send_event(&world.server, &event().sign("receiver")).await;
    assert_eq!(answer.response.status(), 202);
}

/// The first event would wait otherwise, and its sender with it.
#[tokio::test]
async fn a_start_fetches_the_keys_of_transmitters() {
    let world = world().await;
    world.server.start();
    // Those of the issuer, and those of the transmitter.
    world
        .eventually(|world| world.idp.requests(Endpoint::Jwks) == 2)
        .await;
}
