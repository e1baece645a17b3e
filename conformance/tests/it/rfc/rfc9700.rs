//! RFC 9700: OAuth 2.0 security best current practice.

use super::World;

/// 2.3, 4.10.2: audience and scope are checked on every request, remembered tokens included
#[tokio::test]
async fn section_4_10_2_every_request() {
    let world = World::new().await;
    let (good, other) = (world.token().sign(), world.token().scope("x").sign());
    for _ in 0..3 {
        assert_eq!(world.ask_with(&good).await.status, 200);
        assert_eq!(world.ask_with(&other).await.status, 403);
    }
}

/// 4.9.3: tokens are secrets: no answer and no debug output shows one
#[tokio::test]
async fn section_4_9_3_tokens_are_secrets() {
    let world = World::new().await;
    let token = world.token().audience("marked-audience").sign();
    let answer = world.ask_with(&token).await;
    let shown = format!("{}{}{:?}{:?}", answer.challenge, answer.body, answer.headers, world.server);
    assert!(!shown.contains("marked-audience") && !shown.contains(&token[..40]));
    let credential = portcullis_core::credential::Credential::bearer(&token);
    assert!(!format!("{credential:?}").contains(&token[..20]));
}

/// 5.3: answers to refused requests are not stored
#[tokio::test]
async fn section_5_3_refusals_are_not_stored() {
    let world = World::new().await;
    assert_eq!(world.ask_with("x").await.headers.get("cache-control").unwrap(), "no-store");
}
