//! An endpoint that fails: always an outage, never "not active", never remembered; and spared after
//! a while.

use super::{IntrospectionSetup, server};
use portcullis_core::Denial;
use portcullis_core::credential::Credential;
use portcullis_idp::{Endpoint, Fault};
use portcullis_resource_server::BreakerState;
use portcullis_testkit::{Answer, AnsweringServer, clock, decide};
use std::time::Duration;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn retry_after(world: &IntrospectionSetup, token: &str) -> Duration {
    match world
        .server
        .authenticate(Credential::bearer(token))
        .await
    {
        Err(Denial::Outage(outage)) => outage.retry_after(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_failure_is_an_outage_and_forgotten_at_once() {
    for fault in [
        Fault::InternalError,
        Fault::Html,
        Fault::Huge,
        Fault::Redirect,
        Fault::Truncated,
        Fault::Unauthorized,
    ] {
        let world = IntrospectionSetup::new("").await;
        let token = world.idp.token("alice").opaque();
        world.idp.fail(Endpoint::Introspection, fault);
        for questions in 1..3 {
            assert_eq!(
                world.decide(&token).await,
                "outage.introspection",
                "{fault:?}"
            );
            assert_eq!(
                world.idp.requests(Endpoint::Introspection),
                questions,
                "redirects are not followed: {fault:?}"
            );
        }
        assert!(world.status().last_failure.is_some());
        world.idp.fail(Endpoint::Introspection, Fault::None);
        assert_eq!(world.decide(&token).await, "allow", "{fault:?}");
        assert_eq!(world.status().last_failure, None);
    }
}

#[tokio::test]
async fn a_remembered_answer_outlives_an_outage_for_its_time_only() {
    let world = IntrospectionSetup::new("").await;
    let token = world.idp.token("alice").opaque();
    assert_eq!(world.decide(&token).await, "allow");
    world
        .idp
        .fail(Endpoint::Introspection, Fault::InternalError);
    world.clock.advance(seconds(59));
    assert_eq!(world.decide(&token).await, "allow");
    world.clock.advance(seconds(1));
    assert_eq!(world.decide(&token).await, "outage.introspection");
}

#[tokio::test]
async fn after_five_failures_nobody_asks_and_then_one_tries() {
    let world = IntrospectionSetup::new("").await;
    let token = world.idp.token("alice").opaque();
    world
        .idp
        .fail(Endpoint::Introspection, Fault::InternalError);
    for number in 0..20 {
        assert_eq!(
            world.decide(&format!("token-{number}")).await,
            "outage.introspection"
        );
    }
    assert_eq!(
        (
            world.idp.requests(Endpoint::Introspection),
            retry_after(&world, &token).await
        ),
        (5, seconds(5))
    );
    assert_eq!(world.status().breaker, BreakerState::Open(seconds(5)));
    world.clock.advance(seconds(5));
    assert_eq!(world.decide(&token).await, "outage.introspection");
    assert_eq!(
        (
            world.idp.requests(Endpoint::Introspection),
            retry_after(&world, &token).await
        ),
        (6, seconds(10))
    );
    world.idp.fail(Endpoint::Introspection, Fault::None);
    assert_eq!(
        world.decide(&token).await,
        "outage.introspection",
        "not yet"
    );
    world.clock.advance(seconds(10));
    assert_eq!(world.decide(&token).await, "allow");
    assert_eq!(world.status().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn who_asks_too_often_comes_back_when_told() {
    let world = IntrospectionSetup::new("").await;
    let token = world.idp.token("alice").opaque();
    world
        .idp
        .fail(Endpoint::Introspection, Fault::TooManyRequests);
    assert_eq!(retry_after(&world, &token).await, seconds(7));
    world.idp.fail(Endpoint::Introspection, Fault::None);
    world.clock.advance(seconds(6));
    assert_eq!(retry_after(&world, &token).await, seconds(1));
    assert_eq!(world.idp.requests(Endpoint::Introspection), 1);
    world.clock.advance(seconds(1));
    assert_eq!(world.decide(&token).await, "allow");
}

/// Some servers answer 400 to a token that they cannot read: whoever sends such ones must not lock
/// out the others.
#[tokio::test]
async fn odd_tokens_do_not_open_the_breaker() {
    let endpoint = AnsweringServer::start("").await;
    let clock = clock();
    let server = server(
        "https://idp.example",
        &format!("endpoint = \"{}\"", endpoint.url),
        &clock,
    );
    endpoint.answer(Answer {
        status: 400,
        ..Answer::json(r#"{"error":"invalid_request"}"#)
    });
    for number in 0..20 {
        assert_eq!(
            decide(&server, &format!("odd-{number}")).await,
            "outage.introspection"
        );
    }
    endpoint.answer(Answer::json(
        r#"{"active":true,"aud":"api://enterprise-api"}"#,
    ));
    assert_eq!(decide(&server, "good").await, "allow");
}

#[tokio::test]
async fn an_endpoint_that_never_answers_costs_three_seconds() {
    let world = IntrospectionSetup::new("").await;
    let token = world.idp.token("alice").opaque();
    world.idp.fail(Endpoint::Introspection, Fault::Hang);
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let (server, token) = (world.server.clone(), token.clone());
            tokio::spawn(async move { decide(&server, &token).await })
        })
        .collect();
    while world.idp.requests(Endpoint::Introspection) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(requests.iter().all(|request| !request.is_finished()));
    world.clock.advance(seconds(3));
    for request in requests {
        assert_eq!(request.await.unwrap(), "outage.introspection");
    }
    assert_eq!(
        world.idp.requests(Endpoint::Introspection),
        1,
        "whoever waited hears the same, and does not ask again"
    );
}

#[tokio::test]
async fn metadata_that_cannot_be_had_is_an_outage() {
    let world = IntrospectionSetup::new("").await;
    world
        .idp
        .fail(Endpoint::Metadata, Fault::InternalError);
    assert_eq!(world.decide("opaque").await, "outage.metadata");
    world.idp.fail(Endpoint::Metadata, Fault::None);
    world.server.refresh_keys().await;
    assert_eq!(world.decide("opaque").await, "token.inactive");
}
