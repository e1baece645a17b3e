//! Junk: made-up keys cause no more than the budget's fetches, and good tokens do not notice.

use portcullis_idp::{Endpoint, Overlap};
use portcullis_testkit::ResourceServerSetup;
use std::time::Duration;

#[tokio::test]
async fn random_kids_cause_no_more_fetches_than_the_budget() {
    let world = ResourceServerSetup::new().await;
    let good = world.idp.token("alice").sign();
    assert_eq!(world.decide(&good).await, "allow");
    let before = world.idp.requests(Endpoint::Jwks);
    for number in 0..3_000 {
        let junk = world
            .idp
            .token("alice")
            .kid(&format!("made-up-{number}"))
            .sign();
        assert_eq!(world.decide(&junk).await, "token.key_unknown");
        if number % 100 == 0 {
            assert_eq!(world.decide(&good).await, "allow");
            assert_eq!(world.decide(&world.idp.token("bob").sign()).await, "allow");
        }
    }
    assert_eq!(world.idp.requests(Endpoint::Jwks) - before, 2);
    world.clock.advance(Duration::from_secs(30));
    for number in 0..10 {
        world
            .decide(
                &world
                    .idp
                    .token("alice")
                    .kid(&format!("later-{number}"))
                    .sign(),
            )
            .await;
    }
    assert_eq!(world.idp.requests(Endpoint::Jwks) - before, 3);
}

#[tokio::test]
async fn an_unknown_kid_is_remembered_and_forgotten_with_new_keys() {
    let world = ResourceServerSetup::new().await;
    let junk = world.idp.token("alice").kid("made-up").sign();
    assert_eq!(world.decide(&junk).await, "token.key_unknown");
    let before = world.idp.requests(Endpoint::Jwks);
    assert_eq!(world.decide(&junk).await, "token.key_unknown");
    assert_eq!(world.idp.requests(Endpoint::Jwks), before);
    world.idp.rotate(Overlap::With).await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    world.clock.advance(Duration::from_secs(30));
    let before = world.idp.requests(Endpoint::Jwks);
    assert_eq!(world.decide(&junk).await, "token.key_unknown");
    assert_eq!(world.idp.requests(Endpoint::Jwks) - before, 1);
}

#[tokio::test]
async fn junk_that_needs_no_key_causes_no_fetch() {
    let world = ResourceServerSetup::new().await;
    let tokens = [
        world.idp.token("alice").expire().kid("made-up").sign(),
        world
            .idp
            .token("alice")
            .not_yet_valid()
            .kid("made-up")
            .sign(),
        world
            .idp
            .token("alice")
            .issuer("https://evil.example")
            .sign(),
        world.idp.token("alice").typ(Some("logout+jwt")).sign(),
        world.idp.token("alice").alg_none().sign(),
        world.idp.token("alice").hmac_with_public_key().sign(),
        world
            .idp
            .token("alice")
            .id_token()
            .kid("made-up")
            .sign(),
        world.idp.token("alice").kid(&"k".repeat(257)).sign(),
        "opaque".to_owned(),
    ];
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    let before = world.idp.requests(Endpoint::Jwks);
    for token in tokens {
        assert_ne!(world.decide(&token).await, "allow");
    }
    assert_eq!(world.idp.requests(Endpoint::Jwks), before);
}

#[tokio::test]
async fn a_new_key_is_fetched_as_soon_as_the_budget_allows_however_often_it_was_asked_for() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    for number in 0..10 {
        let junk = world
            .idp
            .token("alice")
            .kid(&format!("made-up-{number}"));
        assert_eq!(world.decide(&junk.sign()).await, "token.key_unknown");
    }
    world.idp.rotate(Overlap::Without).await;
    let good = world.idp.token("alice").sign();
    // The log says that the key may be good, and when that will be known.
    let explained = world.server.explain(&good).await;
    let told = format!("{explained:?}");
    assert!(told.contains("the issuer is asked again in 30 s"), "{told}");
    for _ in 0..29 {
        assert_eq!(world.decide(&good).await, "token.key_unknown");
        world.clock.advance(Duration::from_secs(1));
    }
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.decide(&good).await, "allow");
}

#[tokio::test]
async fn forged_tokens_do_not_keep_a_new_key_out() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    for _ in 0..4 {
        for number in 0..50 {
            let forged = world
                .idp
                .token("alice")
                .claim("n", number)
                .signature_flipped();
            assert_eq!(world.decide(&forged.sign()).await, "token.signature");
        }
        world.clock.advance(Duration::from_secs(6));
    }
    world.idp.rotate(Overlap::Without).await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
}

#[tokio::test]
async fn a_refusal_says_whether_the_issuer_was_asked_for_the_key() {
    let world = ResourceServerSetup::new().await;
    let good = world.idp.token("alice").sign();
    assert_eq!(world.decide(&good).await, "allow");
    // The budget is two: the last fetch that it allows has asked for this key all the same.
    for (number, is_asked) in [(0, true), (1, true), (2, false), (3, false)] {
        let made_up = world.idp.token("alice");
        let made_up = made_up.kid(&format!("made-up-{number}"));
        let told = format!("{:?}", world.server.explain(&made_up.sign()).await);
        assert_eq!(!told.contains("is asked again in"), is_asked, "{told}");
    }
}
