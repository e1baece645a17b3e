//! New keys while requests come in: no good token is refused, and the issuer is hardly asked.

use crate::world::{World, decide};
use portcullis_idp::Overlap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::RwLock;

/// Requests under way while the keys change, from eight tasks that do nothing else.
async fn rotate_under_load(overlap: Overlap) {
    let world = World::new().await;
    let token = Arc::new(RwLock::new(world.idp.token("alice").sign()));
    let (decided, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    assert_eq!(world.decide(&token.read().await.clone()).await, "allow");
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (server, token) = (world.server.clone(), Arc::clone(&token));
            let (decided, done) = (Arc::clone(&decided), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    // A token counts as good while its request holds the lock: the keys change in between.
                    let token = token.read().await;
                    assert_eq!(decide(&server, &token).await, "allow");
                    decided.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let (before, fetches) = (decided.load(Ordering::SeqCst), world.idp.jwks_fetches());
        {
            let mut token = token.write().await;
            world.idp.rotate(overlap).await;
            *token = world.idp.token("alice").sign();
        }
        world.eventually(|_| decided.load(Ordering::SeqCst) >= before + 1_000).await;
        assert!(world.idp.jwks_fetches() - fetches <= 2, "{} fetches", world.idp.jwks_fetches() - fetches);
        world.clock.advance(std::time::Duration::from_secs(60));
    }
    done.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_good_token_is_refused_with_overlap() {
    rotate_under_load(Overlap::With).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_good_token_is_refused_without_overlap() {
    rotate_under_load(Overlap::Without).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_requests_with_a_new_key_wait_for_one_fetch() {
    let world = World::new().await;
    assert_eq!(world.decide(&world.idp.token("alice").sign()).await, "allow");
    let before = world.idp.jwks_fetches();
    world.idp.rotate(Overlap::Without).await;
    let requests: Vec<_> = (0..500)
        .map(|number| {
            let (server, token) = (world.server.clone(), world.idp.token("alice").claim("n", number).sign());
            tokio::spawn(async move { decide(&server, &token).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), "allow");
    }
    assert_eq!(world.idp.jwks_fetches() - before, 1);
}

#[tokio::test]
async fn a_removed_key_ends_its_tokens_with_the_next_fetch_even_remembered_ones() {
    let world = World::new().await;
    let old = world.idp.token("alice").sign();
    assert_eq!(world.decide(&old).await, "allow");
    assert_eq!(world.decide(&old).await, "allow");
    world.idp.rotate(Overlap::Without).await;
    assert_eq!(world.decide(&old).await, "allow");
    assert_eq!(world.decide(&world.idp.token("alice").sign()).await, "allow");
    assert_eq!(world.decide(&old).await, "token.key_unknown");
}
