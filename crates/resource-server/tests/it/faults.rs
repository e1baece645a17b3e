//! An issuer that answers, but not as it should: before there are keys, and after.

use crate::setup::{idp, server};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use portcullis_core::{Decision, Requirement};
use portcullis_idp::{Endpoint, Fault, Overlap};
use portcullis_testkit::{ResourceServerSetup, clock, decide};
use std::time::Duration;

const FAULTS: [Fault; 6] = [
    Fault::InternalError,
    Fault::Html,
    Fault::Huge,
    Fault::Redirect,
    Fault::Empty,
    Fault::Truncated,
];

#[tokio::test]
async fn a_bad_key_set_at_the_start_is_an_outage() {
    for fault in FAULTS {
        let world = ResourceServerSetup::new().await;
        world.idp.fail(Endpoint::Jwks, fault);
        let token = world.idp.token("alice").sign();
        assert_eq!(world.decide(&token).await, "outage.keys", "{fault:?}");
        world.idp.fail(Endpoint::Jwks, Fault::None);
        world.server.refresh_keys().await;
        assert_eq!(world.decide(&token).await, "allow", "{fault:?}");
    }
}

#[tokio::test]
async fn bad_metadata_at_the_start_is_an_outage() {
    for fault in FAULTS {
        let world = ResourceServerSetup::new().await;
        world.idp.fail(Endpoint::Metadata, fault);
        assert_eq!(
            world.decide(&world.idp.token("alice").sign()).await,
            "outage.metadata",
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_bad_key_set_never_replaces_a_good_one() {
    for fault in FAULTS {
        let world = ResourceServerSetup::new().await;
        let token = world.idp.token("alice").sign();
        assert_eq!(world.decide(&token).await, "allow");
        world.idp.fail(Endpoint::Jwks, fault);
        world.server.refresh_keys().await;
        let status = world.server.status().keys.remove(0).1;
        assert!(status.last_failure.is_some(), "{fault:?}");
        assert_eq!(status.keys, 1, "{fault:?}");
        assert_eq!(
            world.decide(&world.idp.token("bob").sign()).await,
            "allow",
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn an_issuer_that_never_answers_costs_two_seconds_and_is_an_outage() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    idp.fail(Endpoint::Jwks, Fault::Hang);
    let server = server(idp.issuer().as_str(), &clock);
    let token = idp.token("alice").sign();
    let request = tokio::spawn({
        let server = server.clone();
        async move { decide(&server, &token).await }
    });
    while idp.requests(Endpoint::Jwks) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!request.is_finished());
    clock.advance(Duration::from_secs(2));
    assert_eq!(request.await.unwrap(), "outage.keys");
}

/// The next fetch is an hour away, but the one under way may land at any moment.
#[tokio::test]
async fn keys_that_are_on_their_way_are_worth_another_request_soon() {
    let ResourceServerSetup { clock, idp, server } = ResourceServerSetup::new().await;
    assert_eq!(decide(&server, &idp.token("alice").sign()).await, "allow");
    idp.rotate(Overlap::With).await;
    idp.fail(Endpoint::Jwks, Fault::Hang);
    let token = idp.token("alice").sign();
    let before = idp.requests(Endpoint::Jwks);
    let request = tokio::spawn(async move {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        headers.insert(AUTHORIZATION, value);
        server
            .decide(&headers, None, &Requirement::ValidToken)
            .await
    });
    while idp.requests(Endpoint::Jwks) == before {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(2));
    let Decision::Fail(outage) = request.await.unwrap() else {
        panic!("a decision without the key");
    };
    assert_eq!(outage.retry_after(), Duration::from_secs(1));
}

#[tokio::test]
async fn metadata_of_another_issuer_is_no_metadata() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let with_slash = format!("{}/", idp.issuer());
    let server = server(&with_slash, &clock);
    let token = idp.token("alice").issuer(&with_slash).sign();
    assert_eq!(decide(&server, &token).await, "outage.metadata");
    let status = server.status().keys.remove(0).1;
    assert!(status.last_failure.unwrap().contains("another issuer"));
    assert_eq!(idp.requests(Endpoint::Jwks), 0);
}

#[tokio::test]
async fn an_unchanged_key_set_is_not_sent_again() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    world.server.refresh_keys().await;
    let status = world.server.status().keys.remove(0).1;
    assert_eq!((status.keys, status.last_failure), (1, None));
    assert_eq!(world.idp.requests(Endpoint::Jwks), 2);
}
