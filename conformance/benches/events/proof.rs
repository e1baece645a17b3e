//! Whether everything that was taken is in force: the count of entries at each replica, and at one
//! that is started in the end and knows only what the store has; and tokens, presented to each.

use crate::fleet::Fleet;
use crate::process::load_average;
use crate::sets::SignedSets;
use crate::store::Redis;
use crate::wire::{Connection, get};
use std::time::{Duration, Instant};

/// How long replicas may take to be of one mind.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn check(
    fleet: &mut Fleet,
    redis: &Redis,
    sets: &SignedSets,
) -> Result<(), String> {
    let (taken, began) = (sets.requests.len(), Instant::now());
    // Each event is about somebody else, so as many entries are all of them.
    let mut entries = fleet.entries().await;
    while entries.iter().any(|entries| *entries != taken) && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        entries = fleet.entries().await;
    }
    let after = began.elapsed().as_secs_f64();
    let newcomer = fleet.start_another().await;
    let entries_of_newcomer = fleet.entries().await[newcomer];
    println!(
        "{taken} events taken; entries at each replica {entries:?}, {after:.1} s after the last; \
         at one that is started now {entries_of_newcomer}; {} in the log of the Redis",
        redis.entries().await
    );
    let mut wrong = 0;
    for (number, address) in fleet.addresses().into_iter().enumerate() {
        let mut connection = Connection::open(address).await.unwrap();
        let mut refused = 0;
        for (event, token) in &sets.ended {
            let answer = connection.ask(&get("/orders", token)).await.unwrap();
            if answer.status == 401 {
                refused += 1;
            } else {
                println!("LOST  event {event} at replica {number}: {}", answer.status);
            }
        }
        let mut allowed = 0;
        for token in &sets.others {
            let answer = connection.ask(&get("/orders", token)).await.unwrap();
            allowed += usize::from(answer.status == 200);
        }
        println!(
            "replica {number}: refuses {refused} of {} tokens that ended, \
             allows {allowed} of {} others",
            sets.ended.len(),
            sets.others.len()
        );
        wrong += sets.ended.len() - refused + sets.others.len() - allowed;
    }
    println!("load average {} after", load_average());
    let is_whole = entries
        .iter()
        .chain([&entries_of_newcomer])
        .all(|entries| *entries == taken);
    if is_whole && wrong == 0 {
        println!("nothing is lost");
        return Ok(());
    }
    Err("LOST: something that was taken is not in force everywhere".to_owned())
}
