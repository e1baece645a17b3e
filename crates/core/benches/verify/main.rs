//! One verification, without a server: the bare signature, our whole line, and another library,
//! side by side.
//!
//! Machines are noisy: what counts are the ratios that this prints first, from rounds in which all
//! three take turns. Criterion's figures follow.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

mod corpus;
mod token;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_core::Limits;
use portcullis_core::jose::{Algorithm, compact, json};
use std::hint::black_box;
use std::time::{Duration, Instant};
use token::{Contender, Signed};

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];

const STRETCH: Duration = Duration::from_millis(3);

/// Rounds of a few milliseconds each, the contenders in turns; medians of the ratios within a
/// round.
fn ratios(_: &mut Criterion) {
    println!("\n            bare signature   whole line   ratio   another library   ratio");
    for algorithm in ALGORITHMS {
        let signed = Signed::new(algorithm);
        let (mut floor, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..61 {
            floor.push(timed(STRETCH, || signed.floor()));
            ours.push(timed(STRETCH, || signed.ours()));
            theirs.push(timed(STRETCH, || signed.theirs()));
        }
        let ratio = |above: &[f64], below: &[f64]| {
            median(above.iter().zip(below).map(|(a, b)| a / b).collect())
        };
        let (to_floor, to_ours) = (ratio(&ours, &floor), ratio(&theirs, &ours));
        println!(
            "{algorithm:<8} {:>14.1} us {:>9.1} us {to_floor:>7.3} {:>14.1} us {to_ours:>7.2}",
            median(floor),
            median(ours),
            median(theirs),
        );
    }
    println!();
}

/// Microseconds for one call, from a stretch of calls.
fn timed(stretch: Duration, call: impl Fn()) -> f64 {
    let (began, mut calls) = (Instant::now(), 0_u32);
    while began.elapsed() < stretch {
        call();
        calls += 1;
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get(values.len() / 2)
        .copied()
        .unwrap_or_default()
}

/// What junk costs us, compared with what an ordinary refusal costs.
fn amplification(_: &mut Criterion) {
    let corpus = corpus::Corpus::read();
    println!("\nan ordinary refusal, as a multiple of one of RS256");
    for (multiple, algorithm) in corpus.algorithms() {
        println!("{multiple:>6.2}  {algorithm}");
    }
    println!(
        "\ndearest tokens of the corpus, as a multiple of an ordinary refusal of their algorithm"
    );
    for (multiple, id) in corpus.shapes().iter().take(5) {
        println!("{multiple:>6.2}  {id}");
    }
    println!();
}

fn whole(criterion: &mut Criterion) {
    for algorithm in ALGORITHMS {
        let signed = Signed::new(algorithm);
        let mut group = criterion.benchmark_group(algorithm.name());
        for contender in Contender::ALL {
            group.bench_function(contender.name(), |bencher| {
                bencher.iter(|| signed.run(contender));
            });
        }
        group.finish();
    }
}

fn parts(criterion: &mut Criterion) {
    let signed = Signed::new(Algorithm::RS256);
    let limits = Limits::default();
    let payload = compact::parse_jws(&signed.token, &limits)
        .unwrap()
        .unverified_payload()
        .to_vec();
    criterion.bench_function("json of the payload", |bencher| {
        bencher.iter(|| json::parse(black_box(&payload), &limits).unwrap());
    });
    criterion.bench_function("parse", |bencher| {
        bencher.iter(|| compact::parse(black_box(&signed.token), &limits).unwrap());
    });
    for (name, token) in signed.refusals() {
        criterion.bench_function(&format!("refuse {name}"), |bencher| {
            bencher.iter(|| signed.verify(black_box(&token)).unwrap_err());
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));
    targets = ratios, amplification, whole, parts
}
criterion_main!(benches);
