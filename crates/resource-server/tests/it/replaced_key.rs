//! Another key under a known `kid`: the issuer restarted with fixed names. Good tokens go on, and
//! forged ones cost no more fetches than made-up keys.

use portcullis_core::jose::Jwks;
use portcullis_idp::{Endpoint, Fault, Overlap};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, ResourceServerSetup, decide};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn a_key_that_changed_under_its_name_is_fetched() {
    let world = ResourceServerSetup::new().await;
    let old = world.idp.token("alice").sign();
    assert_eq!(world.decide(&old).await, "allow");
    let before = world.idp.requests(Endpoint::Jwks);
    world.idp.rotate(Overlap::SameKid).await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    assert_eq!(world.idp.requests(Endpoint::Jwks) - before, 1);
    // A token of the old key is refused, although it was remembered.
    assert_eq!(world.decide(&old).await, "token.signature");
}

#[tokio::test]
async fn a_token_without_a_kid_finds_the_new_key_too() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world
            .decide(&world.idp.token("alice").without_header("kid").sign())
            .await,
        "allow"
    );
    world.idp.rotate(Overlap::SameKid).await;
    let token = world.idp.token("bob").without_header("kid").sign();
    assert_eq!(world.decide(&token).await, "allow");
}

#[tokio::test]
async fn explain_says_what_decide_does_after_the_change() {
    let world = ResourceServerSetup::new().await;
    let old = world.idp.token("alice").sign();
    assert_eq!(world.decide(&old).await, "allow");
    world.idp.rotate(Overlap::SameKid).await;
    let token = world.idp.token("alice").sign();
    assert!(world.server.explain(&token).await.is_accepted());
    let refused = world.server.explain(&old).await;
    assert_eq!(
        refused.first_obstacle().map(|step| step.code),
        Some("token.signature")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_requests_with_the_new_key_wait_for_one_fetch() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    let before = world.idp.requests(Endpoint::Jwks);
    world.idp.rotate(Overlap::SameKid).await;
    let requests: Vec<_> = (0..500)
        .map(|number| {
            let (server, token) = (
                world.server.clone(),
                world.idp.token("alice").claim("n", number).sign(),
            );
            tokio::spawn(async move { decide(&server, &token).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), "allow");
    }
    assert_eq!(world.idp.requests(Endpoint::Jwks) - before, 1);
}

/// A thousand forged tokens with a published `kid` cost at most what a thousand made-up `kid`s
/// cost.
#[tokio::test]
async fn forged_tokens_cost_no_more_fetches_than_made_up_keys() {
    let (forged, made_up) = (
        ResourceServerSetup::new().await,
        ResourceServerSetup::new().await,
    );
    for world in [&forged, &made_up] {
        assert_eq!(
            world.decide(&world.idp.token("alice").sign()).await,
            "allow"
        );
    }
    let before = (
        forged.idp.requests(Endpoint::Jwks),
        made_up.idp.requests(Endpoint::Jwks),
    );
    for second in 0..100 {
        for number in 0..10 {
            let number = second * 10 + number;
            let token = forged
                .idp
                .token("mallory")
                .claim("n", number)
                .signature_flipped()
                .sign();
            assert_eq!(forged.decide(&token).await, "token.signature");
            let junk = made_up
                .idp
                .token("mallory")
                .kid(&format!("made-up-{number}"))
                .sign();
            assert_eq!(made_up.decide(&junk).await, "token.key_unknown");
        }
        forged.clock.advance(Duration::from_secs(1));
        made_up.clock.advance(Duration::from_secs(1));
    }
    let cost = (
        forged.idp.requests(Endpoint::Jwks) - before.0,
        made_up.idp.requests(Endpoint::Jwks) - before.1,
    );
    assert!(cost.0 <= cost.1 && cost.0 <= 5, "{cost:?}");
    assert_eq!(
        forged
            .decide(&forged.idp.token("alice").claim("n", 0).sign())
            .await,
        "allow"
    );
}

/// Both kinds together share one budget.
#[tokio::test]
async fn forged_tokens_and_made_up_keys_share_the_budget() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    let before = world.idp.requests(Endpoint::Jwks);
    for number in 0..100 {
        assert_eq!(
            world
                .decide(
                    &world
                        .idp
                        .token("mallory")
                        .claim("n", number)
                        .signature_flipped()
                        .sign()
                )
                .await,
            "token.signature"
        );
        let junk = world
            .idp
            .token("mallory")
            .kid(&format!("made-up-{number}"))
            .sign();
        assert_eq!(world.decide(&junk).await, "token.key_unknown");
    }
    assert_eq!(world.idp.requests(Endpoint::Jwks) - before, 2);
}

/// The first fetch was for this very token: there is nothing newer to be had.
#[tokio::test]
async fn a_forged_token_that_comes_first_fetches_once() {
    let world = ResourceServerSetup::new().await;
    let forged = world.idp.token("mallory").wrong_key().await.sign();
    assert_eq!(world.decide(&forged).await, "token.signature");
    assert_eq!(world.idp.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn a_failing_signature_while_the_issuer_is_down_is_an_outage() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    world.idp.rotate(Overlap::SameKid).await;
    world.idp.fail(Endpoint::Jwks, Fault::InternalError);
    let token = world.idp.token("alice").sign();
    assert_eq!(world.decide(&token).await, "outage.keys");
    let explained = world.server.explain(&token).await;
    assert_eq!(
        explained.first_obstacle().map(|step| step.code),
        Some("outage.keys")
    );
    world.idp.fail(Endpoint::Jwks, Fault::None);
    world.server.refresh_keys().await;
    assert_eq!(world.decide(&token).await, "allow");
}

#[tokio::test]
async fn fixed_keys_are_asked_of_nobody() {
    let world = ResourceServerSetup::new().await;
    let keys = Jwks::parse(world.idp.jwks().as_bytes(), &Default::default()).unwrap();
    let settings = Settings::new(world.idp.issuer().as_str(), AUDIENCE);
    let settings = settings.unwrap().with_fixed_keys(&keys);
    let server = ResourceServer::with_clock(settings, Arc::<TestClock>::clone(&world.clock));
    let before = (
        world.idp.requests(Endpoint::Jwks),
        world.idp.requests(Endpoint::Metadata),
    );
    for number in 0..10 {
        let forged = world
            .idp
            .token("mallory")
            .claim("n", number)
            .signature_flipped()
            .sign();
        let code = decide(&server, &forged).await;
        assert!(code == "token.signature", "{code}");
    }
    assert_eq!(
        (
            world.idp.requests(Endpoint::Jwks),
            world.idp.requests(Endpoint::Metadata)
        ),
        before
    );
}
