//! Events at a rate that is served well, while a gateway is killed and later the Redis: what was
//! answered 202 must be in force at every replica in the end.

use crate::arguments::{Arguments, portcullis, redis_server};
use crate::fleet::Fleet;
use crate::issuer::Issuer;
use crate::process::load_average;
use crate::proof;
use crate::sender::{SenderPlan, Sending};
use crate::sets::{SignedSets, settings};
use crate::store::{Persistence, Redis};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long each is away.
const AWAY: Duration = Duration::from_secs(3);

pub(crate) async fn run(arguments: &Arguments) -> Result<(), String> {
    let (program, server) = (portcullis(arguments), redis_server()?);
    let persistence = arguments.text("store").unwrap_or("none");
    let persistence = Persistence::parse(persistence).ok_or("--store is none, snapshots or log")?;
    let (rate, seconds) = (
        arguments.number("rate", 2_000),
        arguments.number("seconds", 60),
    );
    let mut redis = Redis::start(server, persistence).await;
    let mut fleet = Fleet::plan(program, arguments.number("replicas", 3));
    let issuer = Issuer::start().await;
    let sets = SignedSets::sign(&issuer, rate * seconds);
    let api = crate::api::start(|_| String::new()).await;
    fleet.start(api, &settings(&issuer, redis.port)).await;
    println!("load average {} before", load_average());
    let sending = Sending::new(SenderPlan {
        rate,
        connections: arguments.number("connections", 128),
        ends_after: None,
        addresses: fleet.addresses(),
        requests: Arc::clone(&sets.requests),
    });
    let running = tokio::spawn({
        let sending = Arc::clone(&sending);
        async move { sending.run().await }
    });
    let quarter = Duration::from_secs_f64(seconds as f64 / 4.0);
    kill_in_turn(&mut fleet, &mut redis, &sending, quarter).await;
    let sent = running.await.unwrap();
    tell(&sending, "the last event was answered 202");
    println!("taken in each second: {:?}", sending.by_second());
    let again = sent.statuses.values().sum::<usize>() + sent.unanswered - sets.requests.len();
    println!(
        "answers by status {:?}, without an answer {}; {again} sent again",
        sent.statuses, sent.unanswered
    );
    let applied = sent.count(202);
    println!(
        "{applied} answers 202; an event, from sending to 202: {}",
        sent.into_times()
    );
    if sending.is_refused.load(Ordering::Relaxed) {
        return Err("an event was refused".to_owned());
    }
    proof::check(&mut fleet, &redis, &sets).await
}

async fn kill_in_turn(fleet: &mut Fleet, redis: &mut Redis, sending: &Sending, quarter: Duration) {
    tokio::time::sleep(quarter).await;
    tell(sending, "kill -9 of a gateway");
    fleet.kill(0);
    tokio::time::sleep(AWAY).await;
    fleet.start_one(0);
    fleet.wait_for(0).await;
    tell(sending, "the gateway is ready again");

    tokio::time::sleep(quarter).await;
    tell(sending, "kill -9 of the Redis");
    let held = redis.entries().await;
    redis.kill();
    tokio::time::sleep(AWAY).await;
    redis.start_again().await;
    let kept = redis.entries().await;
    tell(
        sending,
        &format!("the Redis is back with {kept} entries of {held}"),
    );
}

fn tell(sending: &Sending, what: &str) {
    let (second, taken) = (
        sending.elapsed().as_secs_f64(),
        sending.count.load(Ordering::Relaxed),
    );
    println!("{second:>6.1} s  {what}; {taken} events taken");
}
