//! A store that had answered to entries, and then lost them: a failover to a server that lagged
//! behind, or a restart with the last snapshot.

use crate::redis::Redis;
use crate::shared_revocation::{Fleet, eventually};
use portcullis_resource_server::ResourceServer;
use portcullis_testkit::decide;
use std::time::Duration;

const STREAM: &str = "portcullis:revocations";

/// Deletes the last entry, and ends all connections, as the death of the server does.
async fn lose_last(redis: &Redis) {
    let last = redis
        .ask(&["XREVRANGE", STREAM, "+", "-", "COUNT", "1"])
        .await
        .unwrap();
    let last: Vec<(String, Vec<String>)> = redis::from_redis_value(last).unwrap();
    redis.ask(&["XDEL", STREAM, &last[0].0]).await.unwrap();
    redis
        .ask(&["CLIENT", "KILL", "TYPE", "normal"])
        .await
        .unwrap();
}

fn has_read(replica: &ResourceServer, entries: u64) -> bool {
    replica.status().revocation.store.unwrap().read >= entries
}

/// The entry that a replica wrote last is lost before anybody has read it: the places that
/// replicas have read up to are still there, so only the writer can notice.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_the_store_lost_unread_is_written_again() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let (writer, other) = (fleet.ready("").await, fleet.ready("").await);
    writer.revoke(fleet.revocation("read")).await.unwrap();
    // Both pause for a moment after news, which is when the next entry comes and goes.
    eventually(async || has_read(&writer, 1) && has_read(&other, 1)).await;
    writer.revoke(fleet.revocation("lost")).await.unwrap();
    lose_last(&fleet.redis).await;
    let lost = fleet.token("lost");
    eventually(async || {
        // It is the clock that ends the wait between attempts to connect.
        fleet.world.clock.advance(Duration::from_millis(20));
        decide(&other, &lost).await == "token.revoked"
    })
    .await;
    assert_eq!(decide(&writer, &lost).await, "token.revoked");
    assert_eq!(
        decide(&fleet.ready("").await, &lost).await,
        "token.revoked",
        "the store has it again"
    );
    assert_eq!(decide(&other, &fleet.token("bystander")).await, "allow");
}
