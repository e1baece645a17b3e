//! The issuer is down: at the start, for an hour, for a day and more.

use crate::setup::{idp, server};
use portcullis_core::{Decision, Requirement};
use portcullis_idp::{Endpoint, Fault};
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{ResourceServerSetup, clock, decide};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn down_at_the_start_is_an_outage_and_heals_by_itself() {
    let clock = clock();
    let first = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let (issuer, address) = (first.issuer().to_string(), first.address());
    let token = first.token("alice").sign();
    first.shutdown().await;
    let server = server(&issuer, &clock);
    assert_eq!(decide(&server, &token).await, "outage.metadata");
    assert!(!server.is_ready());
    let back = idp(&clock, address).await;
    let token = back.token("alice").sign();
    let healed = async {
        while decide(&server, &token).await != "allow" {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), healed)
        .await
        .unwrap();
    assert!(server.is_ready());
}

#[tokio::test]
async fn good_keys_last_for_a_day_of_outage_and_no_longer() {
    let ResourceServerSetup { clock, idp, server } = ResourceServerSetup::new().await;
    let tokens: Vec<String> = (0..4)
        .map(|number| {
            idp.token("alice")
                .claim("n", number)
                .claim("exp", 1_800_172_000)
                .sign()
        })
        .collect();
    let long = Config::from_toml(&format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"api://enterprise-api\"]\nmax_lifetime = 1000000\n",
        idp.issuer()
    ));
    drop(server);
    let server = ResourceServer::with_clock(
        Settings::try_from(long.unwrap()).unwrap(),
        Arc::<_>::clone(&clock) as Arc<_>,
    );
    assert_eq!(decide(&server, &tokens[0]).await, "allow");
    idp.shutdown().await;
    clock.advance(HOUR);
    assert_eq!(decide(&server, &tokens[1]).await, "allow");
    clock.advance(HOUR * 22);
    assert_eq!(decide(&server, &tokens[2]).await, "allow");
    assert_eq!(decide(&server, &tokens[0]).await, "allow");
    clock.advance(HOUR * 2);
    for token in &tokens {
        let code = decide(&server, token).await;
        assert!(code.starts_with("outage."), "{code}");
    }
}

#[tokio::test]
async fn an_unknown_key_while_the_issuer_is_down_is_an_outage() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    let junk = world.idp.token("alice").kid("new").sign();
    world.idp.fail(Endpoint::Jwks, Fault::InternalError);
    assert_eq!(world.decide(&junk).await, "outage.keys");
    world.idp.fail(Endpoint::Jwks, Fault::None);
    world.clock.advance(HOUR);
    world.server.refresh_keys().await;
    assert_eq!(world.decide(&junk).await, "token.key_unknown");
}

#[tokio::test]
async fn a_snapshot_starts_a_server_while_the_issuer_is_down() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let directory =
        std::env::temp_dir().join(format!("portcullis-snapshot-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("keys.json");
    let server = |issuer: &str| {
        let text = format!(
            "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"api://enterprise-api\"]\nkey_snapshot = \"{}\"\n",
            file.display()
        );
        ResourceServer::with_clock(
            Settings::try_from(Config::from_toml(&text).unwrap()).unwrap(),
            Arc::<_>::clone(&clock) as Arc<_>,
        )
    };
    let (issuer, token) = (idp.issuer().to_string(), idp.token("alice").sign());
    assert_eq!(decide(&server(&issuer), &token).await, "allow");
    idp.shutdown().await;
    clock.advance(HOUR);
    assert_eq!(decide(&server(&issuer), &token).await, "allow");
    let other = server("http://127.0.0.1:1");
    assert!(
        !other.is_ready(),
        "the snapshot of one issuer is not good for another"
    );
    std::fs::write(&file, "{").unwrap();
    assert!(
        !server(&issuer).is_ready(),
        "a broken snapshot is no snapshot"
    );
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn keys_are_fetched_again_in_the_background_before_they_grow_old() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    let before = world.idp.requests(Endpoint::Jwks);
    // The issuer allows five minutes; the jitter adds a tenth at most.
    world.clock.advance(Duration::from_secs(331));
    world
        .eventually(|world| world.idp.requests(Endpoint::Jwks) > before)
        .await;
}

#[tokio::test]
async fn a_fetch_that_a_token_forced_is_tried_again_soon_after_it_failed() {
    let world = ResourceServerSetup::new().await;
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    world.idp.fail(Endpoint::Jwks, Fault::InternalError);
    let unknown = world.idp.token("alice").kid("unknown").sign();
    assert_eq!(world.decide(&unknown).await, "outage.keys");
    world.idp.fail(Endpoint::Jwks, Fault::None);
    world.clock.advance(Duration::from_secs(2));
    world
        .eventually(|world| world.server.status().keys[0].1.failures == 0)
        .await;
    assert_eq!(world.decide(&unknown).await, "token.key_unknown");
}

/// A token with an unknown key forces a fetch as soon as the budget allows, however far the next
/// one in the background is off. Nobody is sent away for longer.
#[tokio::test]
async fn clients_are_told_to_come_back_when_the_keys_may_be_fetched_next() {
    let world = ResourceServerSetup::new().await;
    let token = world.idp.token("alice").sign();
    assert_eq!(world.decide(&token).await, "allow");
    world.idp.fail(Endpoint::Jwks, Fault::InternalError);
    world.clock.advance(Duration::from_secs(80_000));
    for failures in 1..8 {
        let failing =
            move |world: &ResourceServerSetup| world.server.status().keys[0].1.failures >= failures;
        world.eventually(failing).await;
        world.clock.advance(Duration::from_secs(66));
    }
    let unknown = world.idp.token("alice").kid("unknown").sign();
    let mut waits = Vec::new();
    for _ in 0..3 {
        waits.push(retry_after(&world, &unknown).await);
    }
    // The budget: two at once, then one every thirty seconds.
    assert_eq!(waits, [1, 30, 30]);
}

async fn retry_after(world: &ResourceServerSetup, token: &str) -> u64 {
    let mut headers = http::HeaderMap::new();
    let bearer = format!("Bearer {token}").parse().unwrap();
    headers.insert(http::header::AUTHORIZATION, bearer);
    let decision = world
        .server
        .decide(&headers, None, &Requirement::ValidToken);
    match decision.await {
        Decision::Fail(outage) => outage.retry_after().as_secs(),
        other => panic!("{other:?}"),
    }
}
