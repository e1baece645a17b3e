//! Events at a rate above what is taken, beside ordinary decisions.

use crate::arguments::{Arguments, portcullis, redis_server};
use crate::decisions::Decisions;
use crate::figures::{Times, milliseconds};
use crate::fleet::Fleet;
use crate::issuer::Issuer;
use crate::process::{Usage, load_average};
use crate::sender::{SenderPlan, Sending, Sent};
use crate::sets::{SignedSets, settings};
use crate::store::{Persistence, Redis};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long decisions are measured without events.
const QUIET: Duration = Duration::from_secs(10);

/// What everything has cost so far.
struct Costs {
    gateways: Vec<Usage>,
    redis: Usage,
    here: Usage,
}

impl Costs {
    fn now(fleet: &Fleet, redis: &Redis) -> Self {
        Self {
            gateways: fleet.usage(),
            redis: redis.usage(),
            here: Usage::here(),
        }
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), String> {
    let (program, redis) = (portcullis(arguments), redis_server()?);
    let (rate, seconds) = (
        arguments.number("rate", 10_000),
        arguments.number("seconds", 60),
    );
    let redis = Redis::start(redis, Persistence::None).await;
    let mut fleet = Fleet::plan(program, arguments.number("replicas", 3));
    let issuer = Issuer::start().await;
    let sets = SignedSets::sign(&issuer, rate * seconds);
    let api = crate::api::start(|_| String::new()).await;
    fleet.start(api, &settings(&issuer, redis.port)).await;
    println!(
        "{} replicas, {} connections, load average {} before",
        fleet.replicas.len(),
        arguments.number("connections", 128),
        load_average()
    );

    let decisions = Decisions::start(&fleet.addresses(), &sets.others[0]);
    tokio::time::sleep(QUIET).await;
    let (quiet, _) = decisions.stop().await;

    let before = Costs::now(&fleet, &redis);
    let decisions = Decisions::start(&fleet.addresses(), &sets.others[0]);
    let sending = Sending::new(SenderPlan {
        rate,
        connections: arguments.number("connections", 128),
        ends_after: Some(Duration::from_secs(seconds as u64)),
        addresses: fleet.addresses(),
        requests: sets.requests,
    });
    let sent = sending.run().await;
    let took = sending.elapsed().as_secs_f64();
    let (busy, wrong) = decisions.stop().await;
    let after = Costs::now(&fleet, &redis);

    let taken = sending.count.load(Ordering::Relaxed);
    println!(
        "offered {rate}/s for {took:.1} s; taken {taken}, {:.0}/s",
        taken as f64 / took
    );
    print_times(sent, &quiet, &busy, wrong);
    print_costs(&before, &after, taken, took);
    wait_for(&fleet, taken).await?;
    println!(
        "log and audit records: {} MB; load average {} after",
        fleet.written() / 1_000_000,
        load_average()
    );
    Ok(())
}

fn print_times(sent: Sent, quiet: &Times, busy: &Times, wrong: usize) {
    println!(
        "answers by status {:?}, without an answer {}",
        sent.statuses, sent.unanswered
    );
    println!("an event, from sending to 202:  {}", sent.into_times());
    println!("a decision, without events:     {quiet}");
    println!("a decision, beside the events:  {busy}, {wrong} not 200");
    for percent in [50, 99] {
        let (quiet, busy) = (quiet.percentile(percent), busy.percentile(percent));
        let ratio = milliseconds(busy) / milliseconds(quiet);
        println!("    p{percent}: {ratio:.1} times as long");
    }
}

fn print_costs(before: &Costs, after: &Costs, taken: usize, took: f64) {
    let line = |name: &str, before: &Usage, after: &Usage| {
        let spent = after.processor.saturating_sub(before.processor);
        let spent = spent.as_secs_f64();
        println!(
            "{name:<9} {:>3.0}% of a core, {:>5.1} us an event, resident {} kB before, {} kB after",
            spent / took * 100.0,
            spent * 1e6 / taken.max(1) as f64,
            before.resident,
            after.resident
        );
    };
    for (before, after) in before.gateways.iter().zip(&after.gateways) {
        line("gateway", before, after);
    }
    line("redis", &before.redis, &after.redis);
    line("this", &before.here, &after.here);
}

/// Waits until each replica holds what any of them took.
async fn wait_for(fleet: &Fleet, taken: usize) -> Result<(), String> {
    let began = std::time::Instant::now();
    loop {
        let entries = fleet.entries().await;
        // One that was under way at the end may be there too.
        if entries.iter().all(|entries| *entries >= taken) {
            let after = began.elapsed().as_secs_f64();
            println!("entries at each replica: {entries:?}, {after:.1} s after the last answer");
            return Ok(());
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("LOST: {entries:?} entries of {taken}"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
