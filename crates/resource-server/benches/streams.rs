//! What open streams cost while nothing is revoked, and while others are: processor time of ten
//! thousand waits for the end of a token, beside none; and how long a wait takes to end.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

use portcullis_core::credential::Credential;
use portcullis_core::token::{AccessToken, Issuer, NumericDate};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::{ResourceServer, Revocation, Settings, TokenEnd};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const STREAMS: usize = 10_000;

/// Revocations a second.
const RATES: [u32; 4] = [0, 1, 100, 10_000];

const TICK: Duration = Duration::from_millis(10);

fn main() {
    // `cargo test` runs benches too, with another argument: then a little shows that they work.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (streams, seconds) = if is_bench { (STREAMS, 10) } else { (10, 1) };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        println!(
            "\nprocessor time in per cent of one core, and the ends of 20 streams meanwhile\n"
        );
        println!(
            "{:>14} {:>12} {:>16} {:>12} {:>12}",
            "revocations/s", "no streams", "10,000 streams", "end, median", "worst"
        );
        for rate in RATES {
            let alone = StreamBench::new(0).await.measure(rate, seconds).await;
            let with = StreamBench::new(streams)
                .await
                .measure(rate, seconds)
                .await;
            println!(
                "{rate:>14} {:>11.1}% {:>15.1}% {:>9.0} ms {:>9.0} ms",
                alone.busy, with.busy, with.median, with.worst
            );
        }
    });
}

/// A server with open streams, none of which is revoked but those that a measure is about.
struct StreamBench {
    idp: Idp,
    server: ResourceServer,
    streams: JoinSet<TokenEnd>,
}

struct StreamCost {
    busy: f64,
    median: f64,
    worst: f64,
}

impl StreamBench {
    async fn new(streams: usize) -> Self {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let settings = Settings::new(idp.issuer().as_str(), idp.audience()).unwrap();
        let mut bench = Self {
            server: ResourceServer::with_settings(settings),
            idp,
            streams: JoinSet::new(),
        };
        let mut tokens = Vec::new();
        for number in 0..streams.min(100) {
            tokens.push(bench.accept(&format!("held-{number}")).await);
        }
        for token in tokens.iter().cycle().take(streams) {
            let (server, token) = (bench.server.clone(), token.clone());
            bench
                .streams
                .spawn(async move { server.wait_for_end(&token).await });
        }
        // Marks are computed once per stream: not part of what follows.
        bench.revoke(0).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        bench
    }

    async fn accept(&self, id: &str) -> AccessToken {
        let token = self.idp.token("alice").claim("jti", id).sign();
        let accepted = self.server.authenticate(Credential::bearer(&token));
        accepted.await.unwrap()
    }

    async fn revoke(&self, number: u32) {
        let revocation = revocation(self.idp.issuer(), &format!("other-{number}"));
        self.server.revoke(revocation).await.unwrap();
    }

    async fn measure(&self, rate: u32, seconds: u32) -> StreamCost {
        let (before, began) = (processor_time(), Instant::now());
        let revoking = async {
            let mut number = 0;
            while began.elapsed() < Duration::from_secs(seconds.into()) {
                let due = began.elapsed().as_secs_f64() * f64::from(rate);
                while f64::from(number) < due {
                    number += 1;
                    self.revoke(number).await;
                }
                tokio::time::sleep(TICK).await;
            }
        };
        let (ends, ()) = tokio::join!(self.end_some(rate), revoking);
        let busy = (processor_time() - before).as_secs_f64() / began.elapsed().as_secs_f64();
        StreamCost {
            busy: 100.0 * busy,
            median: ends[ends.len() / 2],
            worst: ends[ends.len() - 1],
        }
    }

    /// Opens streams and revokes them one after the other; how long each took to end, in
    /// milliseconds.
    async fn end_some(&self, rate: u32) -> Vec<f64> {
        let mut ends = Vec::new();
        for number in 0..20 {
            let id = format!("ended-{rate}-{number}");
            let token = self.accept(&id).await;
            let server = self.server.clone();
            let stream = tokio::spawn(async move { server.wait_for_end(&token).await });
            // Until it waits, and at another moment of its window each time.
            tokio::time::sleep(Duration::from_millis(50 + number * 13)).await;
            let began = Instant::now();
            let revocation = revocation(self.idp.issuer(), &id);
            self.server.revoke(revocation).await.unwrap();
            assert_eq!(stream.await.unwrap(), TokenEnd::Revoked);
            ends.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        ends.sort_by(f64::total_cmp);
        ends
    }
}

fn revocation(issuer: &Issuer, id: &str) -> Revocation {
    Revocation::token(issuer, id, NumericDate::from_seconds(4_000_000_000))
}

/// Of this process, from Linux: in hundredths of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}
