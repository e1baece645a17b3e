//! RFC 9700: OAuth 2.0 security best current practice.

use super::RfcSetup;
use std::time::Duration;

/// 2.3, 4.10.2: audience and scope are checked on every request, remembered tokens included
#[tokio::test]
async fn section_4_10_2_every_request() {
    let world = RfcSetup::new().await;
    let (good, other) = (world.token().sign(), world.token().scope("x").sign());
    for _ in 0..3 {
        assert_eq!(world.ask_with(&good).await.status, 200);
        assert_eq!(world.ask_with(&other).await.status, 403);
    }
}

/// 2.3: a token that was verified before is checked again for what time can undo
#[tokio::test]
async fn section_2_3_remembered_tokens_end() {
    let world = RfcSetup::new().await;
    let token = world.token().sign();
    assert_eq!(world.decide(&token).await, "allow");
    // The same token again, from memory, until its life is over. The keys are still good then: a
    // token whose key is gone would be verified from the beginning, and that is another check.
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.decide(&token).await, "allow");
    world.clock.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(world.decide(&token).await, "token.expired");
}

/// 4.9.3: tokens are secrets: no answer and no debug output shows one
#[tokio::test]
async fn section_4_9_3_tokens_are_secrets() {
    let world = RfcSetup::new().await;
    let token = world.token().audience("marked-audience").sign();
    let answer = world.ask_with(&token).await;
    let shown = format!(
        "{}{}{:?}{:?}",
        answer.challenge, answer.body, answer.headers, world.server
    );
    assert!(!shown.contains("marked-audience") && !shown.contains(&token[..40]));
    let credential = portcullis_core::credential::Credential::bearer(&token);
    assert!(!format!("{credential:?}").contains(&token[..20]));
}

/// 4.9.3: a refusal tells whoever asks neither what was in the token nor what the server expects
#[tokio::test]
async fn section_4_9_3_challenges_tell_nothing_of_the_settings() {
    let world = RfcSetup::new().await;
    let (audience, issuer) = (
        world.idp.audience().to_owned(),
        world.idp.issuer().to_string(),
    );
    let strange = world.token().audience("marked-audience").sign();
    let stranger = world
        .token()
        .issuer("https://marked-issuer.example")
        .sign();
    for (token, phrase) in [
        (strange, "the access token is meant for another audience"),
        (stranger, "the access token was issued by someone else"),
        (world.token().expire().sign(), "the access token expired"),
        (
            world.token().signature_flipped().sign(),
            "the signature of the access token is invalid",
        ),
    ] {
        let answer = world.ask_with(&token).await;
        // All of it: nothing else has a place to stand in.
        let expected = format!(
            "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"{phrase}\""
        );
        assert_eq!(answer.challenge, expected);
        let shown = format!("{}{:?}", answer.body, answer.headers);
        for told in [
            audience.as_str(),
            issuer.as_str(),
            "marked-audience",
            "marked-issuer",
        ] {
            assert!(!shown.contains(told), "{shown}");
        }
    }
}

/// 5.3: answers to refused requests are not stored
#[tokio::test]
async fn section_5_3_refusals_are_not_stored() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .ask_with("x")
            .await
            .headers
            .get("cache-control")
            .unwrap(),
        "no-store"
    );
}
