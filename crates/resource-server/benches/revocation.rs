//! What revocation costs a decision: with nothing revoked, a thousand, a million; ratios within one
//! run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

use portcullis_core::credential::Credential;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::{Config, ResourceServer, Revocation, Settings};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const SIZES: [u32; 3] = [0, 1_000, 1_000_000];
const ROUNDS: usize = 41;

/// A server with so many revocations, and tokens that none of them is about.
struct RevocationBench {
    runtime: Runtime,
    idp: Idp,
    remembering: ResourceServer,
    forgetful: ResourceServer,
    tokens: Vec<String>,
}

impl RevocationBench {
    fn new(revoked: u32) -> Self {
        let runtime = Runtime::new().unwrap();
        let idp = runtime
            .block_on(Idp::start(IdpConfig::default()))
            .unwrap();
        let server = |remembered: usize| {
            let text = format!(
                "remembered_tokens = {remembered}\n[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n[revocation]\nentries = 2000000\n",
                idp.issuer(),
                idp.audience()
            );
            let server = ResourceServer::with_settings(
                Settings::try_from(Config::from_toml(&text).unwrap()).unwrap(),
            );
            runtime.block_on(async {
                for number in 0..revoked {
                    server
                        .revoke(revocation(idp.issuer(), number))
                        .await
                        .unwrap();
                }
            });
            server
        };
        let (remembering, forgetful) = (server(20_000), server(0));
        let token = |number: usize| {
            idp.token("alice")
                .claim("sid", "s")
                .claim("n", number)
                .sign()
        };
        let tokens: Vec<String> = (0..1_000).map(token).collect();
        let world = Self {
            remembering,
            forgetful,
            tokens,
            runtime,
            idp,
        };
        world.decide(&world.remembering, world.tokens.len());
        world.decide(&world.forgetful, 1);
        world
    }

    /// One call after another, on one thread; in microseconds each.
    fn decide(&self, server: &ResourceServer, calls: usize) -> f64 {
        let tokens = self.tokens.iter().cycle().take(calls);
        let took = self.runtime.block_on(async {
            let began = Instant::now();
            for token in tokens {
                server
                    .authenticate(Credential::bearer(token))
                    .await
                    .unwrap();
            }
            began.elapsed()
        });
        each(took, calls)
    }

    /// The same, with a revocation of something else before each token is seen again.
    fn decide_after_revoking(&self, round: u32) -> f64 {
        let revocation = revocation(self.idp.issuer(), 1_500_000 + round);
        self.runtime
            .block_on(self.remembering.revoke(revocation))
            .unwrap();
        self.decide(&self.remembering, self.tokens.len())
    }
}

fn revocation(issuer: &Issuer, number: u32) -> Revocation {
    Revocation::token(
        issuer,
        &format!("token {number}"),
        NumericDate::from_seconds(4_000_000_000),
    )
}

fn each(took: Duration, calls: usize) -> f64 {
    took.as_secs_f64() * 1e6 / f64::from(u32::try_from(calls).unwrap())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let worlds = SIZES.map(RevocationBench::new);
    let mut rounds: [[Vec<f64>; 3]; 3] = Default::default();
    for round in 0..ROUNDS {
        // All take turns, so that noise is shared.
        for (world, values) in worlds.iter().zip(&mut rounds) {
            values[0].push(world.decide(&world.remembering, 4_000));
            values[2].push(world.decide(&world.forgetful, 200));
        }
        for (world, values) in worlds.iter().zip(&mut rounds) {
            values[1].push(world.decide_after_revoking(u32::try_from(round).unwrap()));
        }
    }
    let rows = rounds.map(|kinds| kinds.map(median));
    println!(
        "\nmicroseconds a decision, of 1,000 tokens in turn; in brackets the ratio to nothing revoked\n"
    );
    println!(
        "{:>10}  {:>18}  {:>24}  {:>18}",
        "revoked", "known token", "known, after a change", "fresh RS256 token"
    );
    for (size, row) in SIZES.iter().zip(&rows) {
        // A known token after a change is compared with one without a change.
        let bases = [rows[0][0], rows[0][0], rows[0][2]];
        let cells: Vec<String> = row
            .iter()
            .zip(bases)
            .map(|(value, base)| format!("{value:>8.2} ({:.2})", value / base))
            .collect();
        println!(
            "{size:>10}  {:>18}  {:>24}  {:>18}",
            cells[0], cells[1], cells[2]
        );
    }
}
