//! New keys while requests come in: no good token is refused, and the issuer is hardly asked.

use portcullis_idp::{Endpoint, Overlap};
use portcullis_resource_server::ResourceServer;
use portcullis_testkit::{ResourceServerSetup, decide};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

/// The token of the key that signs now, and how many rotations have begun.
struct Signed {
    token: RwLock<(usize, String)>,
    begun: AtomicUsize,
    /// Requests during which a rotation began.
    crossed: AtomicUsize,
    decided: AtomicUsize,
    done: AtomicBool,
    /// Held for reading by a request, and for writing by a leap of the clock: a request that a
    /// minute passes over has lost its patience, and says so rightly.
    leap: tokio::sync::RwLock<()>,
}

impl Signed {
    /// Asks until it is over. Nothing holds the keys still while a request is under way: what was
    /// right at any moment of it is right. `published` is how many of the latest keys are.
    async fn ask(&self, server: &ResourceServer, published: usize) {
        while !self.done.load(Ordering::SeqCst) {
            let _under_way = self.leap.read().await;
            let (rotation, token) = self.token.read().unwrap().clone();
            let code = decide(server, &token).await;
            let begun = self.begun.load(Ordering::SeqCst);
            let was_withdrawn = begun >= rotation + published;
            assert!(
                code == "allow" || (code == "token.key_unknown" && was_withdrawn),
                "{code} for a token of rotation {rotation}, when {begun} had begun"
            );
            self.crossed
                .fetch_add(usize::from(begun > rotation), Ordering::SeqCst);
            self.decided.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    }
}

/// Requests under way while the keys change, from eight tasks that do nothing else.
async fn rotate_under_load(overlap: Overlap) {
    let world = ResourceServerSetup::new().await;
    let published = if overlap == Overlap::With { 2 } else { 1 };
    let signed = Arc::new(Signed {
        token: RwLock::new((0, world.idp.token("alice").sign())),
        begun: AtomicUsize::new(0),
        crossed: AtomicUsize::new(0),
        decided: AtomicUsize::new(0),
        done: AtomicBool::new(false),
        leap: tokio::sync::RwLock::default(),
    });
    let first = signed.token.read().unwrap().1.clone();
    assert_eq!(world.decide(&first).await, "allow");
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (server, signed) = (world.server.clone(), Arc::clone(&signed));
            tokio::spawn(async move { signed.ask(&server, published).await })
        })
        .collect();
    // Three times, and until a rotation has come between a question and its answer.
    for rotation in 1..=50 {
        let (before, fetches) = (
            signed.decided.load(Ordering::SeqCst),
            world.idp.requests(Endpoint::Jwks),
        );
        signed.begun.store(rotation, Ordering::SeqCst);
        world.idp.rotate(overlap).await;
        let token = world.idp.token("alice").sign();
        *signed.token.write().unwrap() = (rotation, token);
        world
            .eventually(|_| signed.decided.load(Ordering::SeqCst) >= before + 1_000)
            .await;
        let fetched = world.idp.requests(Endpoint::Jwks) - fetches;
        assert!(fetched <= 2, "{fetched} fetches");
        let nobody_asks = signed.leap.write().await;
        world.clock.advance(std::time::Duration::from_secs(60));
        drop(nobody_asks);
        if rotation >= 3 && signed.crossed.load(Ordering::SeqCst) > 0 {
            break;
        }
    }
    signed.done.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    assert!(
        signed.crossed.load(Ordering::SeqCst) > 0,
        "no request was under way while the keys changed"
    );
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
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    let before = world.idp.requests(Endpoint::Jwks);
    world.idp.rotate(Overlap::Without).await;
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

#[tokio::test]
async fn a_removed_key_ends_its_tokens_with_the_next_fetch_even_remembered_ones() {
    let world = ResourceServerSetup::new().await;
    let old = world.idp.token("alice").sign();
    assert_eq!(world.decide(&old).await, "allow");
    assert_eq!(world.decide(&old).await, "allow");
    world.idp.rotate(Overlap::Without).await;
    assert_eq!(world.decide(&old).await, "allow");
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    assert_eq!(world.decide(&old).await, "token.key_unknown");
}
