//! Several replicas that share a real Redis: how fast they agree, and what becomes of them when it
//! dies.

use crate::redis::{PASSWORD, Redis};
use portcullis_core::token::NumericDate;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Revocation, Settings, StoreUrl};
use portcullis_testkit::{ResourceServerSetup, decide};
use std::sync::Arc;
use std::time::{Duration, Instant};

const NOW: i64 = 1_800_000_000;

/// A real store, and an identity provider.
pub(crate) struct Fleet {
    pub(crate) world: ResourceServerSetup,
    pub(crate) redis: Redis,
}

impl Fleet {
    pub(crate) async fn new() -> Option<Self> {
        let redis = Redis::start().await?;
        Some(Self {
            world: ResourceServerSetup::new().await,
            redis,
        })
    }

    /// A replica that follows the store, at the clock of all.
    fn replica(&self, settings: &str) -> ResourceServer {
        self.replica_at(settings, Arc::clone(&self.world.clock))
    }

    fn replica_at(&self, settings: &str, clock: Arc<TestClock>) -> ResourceServer {
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"api://enterprise-api\"]\n[revocation]\nstore = \"{}\"\n{settings}",
            self.world.idp.issuer(),
            self.redis.url(),
        );
        ResourceServer::with_clock(
            Settings::try_from(Config::from_toml(&text).unwrap()).unwrap(),
            clock,
        )
    }

    /// A replica that has loaded the store.
    pub(crate) async fn ready(&self, settings: &str) -> ResourceServer {
        let replica = self.replica(settings);
        assert_eq!(decide(&replica, &self.token("bystander")).await, "allow");
        replica
    }

    pub(crate) fn token(&self, id: &str) -> String {
        self.world.idp.token("alice").claim("jti", id).sign()
    }

    pub(crate) fn revocation(&self, id: &str) -> Revocation {
        Revocation::token(
            self.world.idp.issuer(),
            id,
            NumericDate::from_seconds(NOW + 80_000),
        )
    }

    /// How many replicas stand in a read that the store answers as soon as there is something to
    /// read.
    async fn waiting(&self) -> usize {
        let told = self.redis.ask(&["INFO", "clients"]).await.unwrap();
        let told: String = redis::from_redis_value(told).unwrap();
        let blocked = told
            .lines()
            .find_map(|line| line.strip_prefix("blocked_clients:"))
            .unwrap();
        blocked.trim().parse().unwrap()
    }

    /// How many entries a new reader of the store finds.
    async fn stored(&self) -> i64 {
        match self
            .redis
            .ask(&["XLEN", "portcullis:revocations"])
            .await
        {
            Ok(redis::Value::Int(entries)) => entries,
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until this is so. The bound is generous: what is asserted is that it happens, not how
/// fast.
pub(crate) async fn eventually(what: impl AsyncFn() -> bool) -> Duration {
    let began = Instant::now();
    let waiting = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .expect("it to happen at last");
    began.elapsed()
}

pub(crate) async fn becomes(replica: &ResourceServer, token: &str, code: &str) -> Duration {
    eventually(async || decide(replica, token).await == code).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_hears_of_a_revocation_without_looking_for_it() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let replicas = [
        fleet.ready("").await,
        fleet.ready("").await,
        fleet.ready("").await,
    ];
    let token = fleet.token("shared");
    for replica in &replicas {
        assert_eq!(decide(replica, &token).await, "allow");
    }
    let mut took = Vec::new();
    for number in 0..50 {
        // Nobody has to look again: all of them wait for the store's word, and the clock stands
        // still.
        eventually(async || fleet.waiting().await == replicas.len()).await;
        let began = Instant::now();
        replicas[0]
            .revoke(fleet.revocation(&number.to_string()))
            .await
            .unwrap();
        let next = fleet.token(&number.to_string());
        for replica in &replicas {
            becomes(replica, &next, "token.revoked").await;
        }
        took.push(began.elapsed());
    }
    took.sort();
    println!(
        "until all of 3 replicas refuse: median {:?}, longest {:?}",
        took[25], took[49]
    );
    replicas[0]
        .revoke(fleet.revocation("shared"))
        .await
        .unwrap();
    assert_eq!(
        decide(&replicas[0], &token).await,
        "token.revoked",
        "at once where it was said"
    );
    for replica in &replicas {
        becomes(replica, &token, "token.revoked").await;
        assert_eq!(decide(replica, &fleet.token("bystander")).await, "allow");
    }
    let started_later = fleet.replica("");
    assert_eq!(
        decide(&started_later, &token).await,
        "token.revoked",
        "the first request waits for the load"
    );
    assert_eq!(started_later.status().revocation.entries, 51);
}

/// `kill -9`, and back with its data: before the grace all goes on, after it nobody is let in, and
/// what was revoked stays so all the while.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_store_is_an_outage_after_the_grace_and_heals_by_itself() {
    let Some(mut fleet) = Fleet::new().await else {
        return;
    };
    let replica = fleet.ready("").await;
    let (good, revoked) = (fleet.token("good"), fleet.token("revoked"));
    replica
        .revoke(fleet.revocation("revoked"))
        .await
        .unwrap();
    fleet.redis.kill();
    eventually(async || {
        replica
            .status()
            .revocation
            .store
            .unwrap()
            .last_failure
            .is_some()
    })
    .await;
    assert_eq!(
        decide(&replica, &good).await,
        "allow",
        "a short loss is no outage"
    );
    fleet.world.clock.advance(Duration::from_secs(11));
    assert_eq!(decide(&replica, &good).await, "outage.revocation");
    assert_eq!(
        decide(&replica, &revoked).await,
        "token.revoked",
        "what is known stays known"
    );
    assert!(!replica.is_ready() && !replica.status().revocation.store.unwrap().in_step);
    let untaken = replica
        .revoke(fleet.revocation("while away"))
        .await
        .unwrap_err();
    assert!(
        untaken.facts().starts_with("the revocation store: ")
            && !untaken.facts().contains(PASSWORD),
        "{untaken}"
    );
    assert_eq!(
        decide(&replica, &fleet.token("while away")).await,
        "token.revoked",
        "here it is in force"
    );

    let started_without = fleet.replica("");
    assert_eq!(
        decide(&started_without, &good).await,
        "outage.revocation",
        "nothing was loaded yet"
    );

    fleet.redis.start_again().await;
    for replica in [&replica, &started_without] {
        eventually(async || {
            fleet.world.clock.advance(Duration::from_millis(100)); // it is the clock that ends the wait between attempts
            decide(replica, &good).await == "allow"
        })
        .await;
        assert_eq!(decide(replica, &revoked).await, "token.revoked");
    }
    becomes(
        &started_without,
        &fleet.token("while away"),
        "token.revoked",
    )
    .await;
}

/// A store that comes back empty gets back what the replicas know, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lost_its_data_gets_it_back_from_the_replicas() {
    let Some(mut fleet) = Fleet::new().await else {
        return;
    };
    let replicas = [
        fleet.ready("").await,
        fleet.ready("").await,
        fleet.ready("").await,
    ];
    for number in 0..1_200 {
        replicas[0]
            .revoke(fleet.revocation(&number.to_string()))
            .await
            .unwrap();
    }
    for replica in &replicas {
        eventually(async || replica.status().revocation.entries == 1_200).await;
    }
    fleet.redis.kill();
    fleet.redis.lose_data();
    fleet.redis.start_again().await;
    eventually(async || {
        fleet.world.clock.advance(Duration::from_millis(20));
        fleet.stored().await >= 1_200
    })
    .await;
    for replica in &replicas {
        eventually(async || {
            fleet.world.clock.advance(Duration::from_millis(20));
            decide(replica, &fleet.token("bystander")).await == "allow"
        })
        .await;
        assert_eq!(decide(replica, &fleet.token("7")).await, "token.revoked");
    }
    let newcomer = fleet.replica("");
    assert_eq!(
        decide(&newcomer, &fleet.token("1199")).await,
        "token.revoked"
    );
    assert_eq!(newcomer.status().revocation.entries, 1_200);
    println!(
        "a store that came back empty holds {} entries for 1200 revocations of 3 replicas",
        fleet.stored().await
    );
    assert!(
        fleet.stored().await < 2 * 1_200,
        "not every replica writes everything"
    );
}

/// The same without a lost connection: somebody deletes the key.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_is_noticed_and_written_again() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let replica = fleet.ready("").await;
    replica.revoke(fleet.revocation("a")).await.unwrap();
    eventually(async || fleet.stored().await == 1).await;
    // Until the replica itself has read it back, there is nothing that it could miss.
    eventually(async || replica.status().revocation.store.unwrap().read == 1).await;
    fleet
        .redis
        .ask(&["DEL", "portcullis:revocations"])
        .await
        .unwrap();
    eventually(async || fleet.stored().await == 1).await;
    assert_eq!(
        decide(&fleet.replica(""), &fleet.token("a")).await,
        "token.revoked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_danger_mode_it_serves_without_the_store() {
    let Some(mut fleet) = Fleet::new().await else {
        return;
    };
    let danger = "danger_serve_without_store = true\n";
    let replica = fleet.ready(danger).await;
    replica
        .revoke(fleet.revocation("revoked"))
        .await
        .unwrap();
    fleet.redis.kill();
    eventually(async || {
        replica
            .status()
            .revocation
            .store
            .unwrap()
            .last_failure
            .is_some()
    })
    .await;
    fleet.world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(decide(&replica, &fleet.token("good")).await, "allow");
    assert_eq!(
        decide(&replica, &fleet.token("revoked")).await,
        "token.revoked"
    );
    let started_without = fleet.replica(danger);
    assert_eq!(
        decide(&started_without, &fleet.token("revoked")).await,
        "allow",
        "it was told nothing, and says so:"
    );
    assert!(
        started_without.is_ready()
            && !started_without
                .status()
                .revocation
                .store
                .unwrap()
                .in_step
    );
    fleet.redis.start_again().await;
    eventually(async || {
        fleet.world.clock.advance(Duration::from_millis(100));
        decide(&started_without, &fleet.token("revoked")).await == "token.revoked"
    })
    .await;
}

/// A store that takes connections and answers nothing is away too, and no decision waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_store_is_away() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let replica = fleet.ready("").await;
    fleet.redis.pause(true);
    fleet.world.clock.advance(Duration::from_secs(11));
    // The last read may have been answered just before.
    eventually(async || decide(&replica, &fleet.token("good")).await == "outage.revocation").await;
    fleet.redis.pause(false);
    eventually(async || {
        fleet.world.clock.advance(Duration::from_millis(20));
        decide(&replica, &fleet.token("good")).await == "allow"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_revocations_reaches_every_replica() {
    const FLOOD: usize = 10_000;
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let replicas = [fleet.ready("").await, fleet.ready("").await];
    let began = Instant::now();
    let flood = replicas[0].clone();
    let revocations: Vec<_> = (0..FLOOD)
        .map(|number| fleet.revocation(&number.to_string()))
        .collect();
    let writers = revocations.chunks(FLOOD / 50).map(|chunk| {
        let (flood, chunk) = (flood.clone(), chunk.to_vec());
        tokio::spawn(async move {
            for revocation in chunk {
                flood.revoke(revocation).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let written = began.elapsed();
    let last = fleet.token(&(FLOOD - 1).to_string());
    let behind = eventually(async || replicas[1].status().revocation.entries == FLOOD).await;
    println!(
        "{FLOOD} revocations were written in {written:?}; the other replica was {behind:?} behind at the end"
    );
    assert_eq!(decide(&replicas[1], &last).await, "token.revoked");
    let began = Instant::now();
    let newcomer = fleet.replica("");
    eventually(async || decide(&newcomer, &last).await == "token.revoked").await;
    println!("a new replica loaded them in {:?}", began.elapsed());
    assert_eq!(newcomer.status().revocation.entries, FLOOD);
}

/// Whatever else stands in the stream is passed over: it is counted, and what follows is read.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_the_store_is_ignored() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let replica = fleet.ready("").await;
    let long = "x".repeat(1_000_000);
    let garbage = [
        "hello",
        "mark",
        "until",
        "\u{1f512}",
        "-1",
        "subject:00",
        long.as_str(),
    ];
    let mut written = 0;
    for name in garbage {
        for value in garbage {
            fleet
                .redis
                .ask(&["XADD", "portcullis:revocations", "*", name, value])
                .await
                .unwrap();
            written += 1;
        }
    }
    replica
        .revoke(fleet.revocation("after it"))
        .await
        .unwrap();
    for replica in [&replica, &fleet.replica("")] {
        assert_eq!(
            decide(replica, &fleet.token("after it")).await,
            "token.revoked"
        );
        eventually(async || replica.status().revocation.store.unwrap().ignored >= written).await;
        assert_eq!(replica.status().revocation.entries, 1);
    }
    // Another type at the key is no log at all: that is an outage, and it says why.
    fleet
        .redis
        .ask(&["SET", "portcullis:revocations", "text"])
        .await
        .unwrap();
    let lost = fleet.replica("");
    assert_eq!(
        decide(&lost, &fleet.token("good")).await,
        "outage.revocation"
    );
    let failure = lost
        .status()
        .revocation
        .store
        .unwrap()
        .last_failure
        .unwrap();
    assert!(failure.contains("wrong kind of value"), "{failure}");
}

/// A replica that cannot hold all that was revoked does not decide as if it could.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_replica_can_hold_is_an_outage() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let large = fleet.ready("").await;
    for id in ["a", "b", "c"] {
        large.revoke(fleet.revocation(id)).await.unwrap();
    }
    let small = fleet.replica("entries = 2\n");
    assert_eq!(
        decide(&small, &fleet.token("good")).await,
        "outage.revocation"
    );
    let failure = small
        .status()
        .revocation
        .store
        .unwrap()
        .last_failure
        .unwrap();
    assert!(failure.contains("`revocation.entries`"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_is_deleted_from_the_store() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let replica = fleet.ready("").await;
    for id in ["a", "b", "c"] {
        replica.revoke(fleet.revocation(id)).await.unwrap();
    }
    fleet
        .world
        .clock
        .advance(Duration::from_secs(80_000 + 300 + 86_400 + 2));
    let until = NumericDate::from_seconds(NOW + 300_000);
    replica
        .revoke(Revocation::token(fleet.world.idp.issuer(), "d", until))
        .await
        .unwrap();
    // A replica that starts deletes what it finds to be over.
    let newcomer = fleet.replica("");
    newcomer.start();
    eventually(async || fleet.stored().await == 1).await;
    eventually(async || newcomer.status().revocation.entries == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_an_outage_and_shown_nowhere() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let url = fleet
        .redis
        .url()
        .replace(PASSWORD, "marked-wrong-password");
    let store =
        portcullis_resource_server::RevocationStore::new(&StoreUrl::new(url), None).unwrap();
    let outage = store
        .publish(&fleet.revocation("a"), NumericDate::from_seconds(NOW))
        .await
        .unwrap_err();
    assert!(
        !outage.to_string().contains("marked") && !format!("{store:?}").contains("marked"),
        "{outage}"
    );
    println!("{outage}");
}
