//! The verified-token cache spares the signature check and nothing else.

use portcullis_core::Requirement;
use portcullis_testkit::{ResourceServerSetup, decide_by};
use std::time::Duration;

#[tokio::test]
async fn a_remembered_token_still_expires() {
    let world = ResourceServerSetup::new().await;
    let token = world
        .idp
        .token("alice")
        .claim("exp", 1_800_000_100)
        .sign();
    assert_eq!(world.decide(&token).await, "allow");
    world.clock.advance(Duration::from_secs(159));
    assert_eq!(world.decide(&token).await, "allow");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.decide(&token).await, "token.expired");
    assert_eq!(world.decide(&token).await, "token.expired");
}

#[tokio::test]
async fn the_sign_in_of_a_remembered_token_grows_old() {
    let world = ResourceServerSetup::new().await;
    let token = world
        .idp
        .token("alice")
        .auth_time(1_800_000_000)
        .sign();
    let recent = Requirement::max_age(Duration::from_secs(900));
    assert_eq!(decide_by(&world.server, &token, &recent).await, "allow");
    world.clock.advance(Duration::from_secs(900));
    assert_eq!(decide_by(&world.server, &token, &recent).await, "allow");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(
        decide_by(&world.server, &token, &recent).await,
        "policy.step_up"
    );
    assert_eq!(
        world.decide(&token).await,
        "allow",
        "the token is as good as before"
    );
}

#[tokio::test]
async fn a_remembered_token_does_not_help_a_changed_one() {
    let world = ResourceServerSetup::new().await;
    let token = world.idp.token("alice").sign();
    assert_eq!(world.decide(&token).await, "allow");
    assert_eq!(
        world
            .decide(&world.idp.token("alice").signature_flipped().sign())
            .await,
        "token.signature"
    );
    let mut cut = token.clone();
    cut.pop();
    assert_ne!(world.decide(&cut).await, "allow");
    assert_eq!(world.decide(&token).await, "allow");
}
