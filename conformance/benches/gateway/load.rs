//! The load: what a request costs the processor in each proxy, in alternating rounds of one run.
//!
//! The proxies have one core, wrk, the upstream and this program the other. `PORTCULLIS_ENVOY`,
//! `PORTCULLIS_HAPROXY` and `PORTCULLIS_BEFORE` (another build of the gateway) name the programs to
//! compare with; who is not named is left out.

use crate::peers::{Peer, Site};
use crate::process::folder;
use crate::upstream::Upstream;
use portcullis_idp::{Idp, IdpConfig};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first round warms up and does not count.
const ROUNDS: usize = 10;
const KNOWN: usize = 8_000;
const FRESH: usize = 2_500;
/// wrk waits this long, also for a thread that has asked all it should; so no round is longer.
const SECOND: &str = "1s";
const CONNECTIONS: &str = "32";

/// What is asked, and the file of tokens it is asked with.
struct Scenario {
    name: &'static str,
    path: &'static str,
    requests: usize,
    /// One for each round, or one for all.
    tokens: Vec<PathBuf>,
}

pub(crate) async fn run() {
    pin_to(0);
    let folder = folder("load");
    let upstream = crate::process::free_address();
    let _upstream = Upstream::start(upstream).await;
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let scenarios = scenarios(&idp, &folder);
    let site = Site {
        core: 1,
        upstream,
        idp: &idp,
        folder: &folder,
    };
    let own = [
        Some(site.portcullis().await),
        Some(site.with_records().await),
        site.before().await,
    ];
    let peers = own
        .into_iter()
        .chain([site.haproxy().await, site.envoy().await]);
    let peers: Vec<Peer> = peers.flatten().collect();
    let mut costs = vec![vec![Vec::new(); peers.len()]; scenarios.len()];
    for round in 0..ROUNDS {
        for (scenario, costs) in scenarios.iter().zip(&mut costs) {
            for (peer, costs) in peers.iter().zip(costs) {
                let cost = scenario.cost(peer, round, &folder).await;
                if round > 0 {
                    costs.push(cost);
                }
            }
        }
    }
    println!(
        "microseconds of processor time a request, median (least to most) of {} rounds",
        ROUNDS - 1
    );
    for (scenario, costs) in scenarios.iter().zip(&mut costs) {
        let own = median(&mut costs[0]);
        for (peer, costs) in peers.iter().zip(costs) {
            let cost = median(costs);
            let (least, most) = (costs[0], costs[costs.len() - 1]);
            let ratio = own / cost;
            println!(
                "{:<14} {:<11} {cost:>7.1} ({least:.1} to {most:.1})   portcullis is {ratio:.2} of it",
                scenario.name, peer.name
            );
        }
    }
    for peer in &peers {
        println!("{:<11} resident {} kB", peer.name, peer.process.resident());
    }
}

/// Everything around a proxy, to run one by hand under a profiler: the folder has its settings and
/// the tokens.
pub(crate) async fn site() {
    pin_to(0);
    let folder = folder("site");
    let upstream = crate::process::free_address();
    let _upstream = Upstream::start(upstream).await;
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    scenarios(&idp, &folder);
    let site = Site {
        core: 1,
        upstream,
        idp: &idp,
        folder: &folder,
    };
    let peer = site.portcullis().await;
    println!("{} {}", peer.address, folder.display());
    drop(peer);
    std::future::pending::<()>().await;
}

fn scenarios(idp: &Idp, folder: &Path) -> [Scenario; 3] {
    let token = |number: usize| {
        let token = idp
            .token("alice")
            .scope("orders:read")
            .claim("n", number);
        let filler = "some forty characters of an ordinary value";
        (0..5)
            .fold(token, |token, number| {
                token.claim(&format!("claim_{number}"), filler)
            })
            .sign()
    };
    let file = |name: String, tokens: Vec<String>| {
        let file = folder.join(name);
        std::fs::write(&file, tokens.join("\n")).unwrap();
        file
    };
    let known = token(0);
    println!(
        "tokens of {} bytes, {} fresh ones",
        known.len(),
        ROUNDS * FRESH
    );
    let fresh = (0..ROUNDS).map(|round| {
        let tokens = (0..FRESH)
            .map(|number| token(1 + round * FRESH + number))
            .collect();
        file(format!("fresh-{round}.txt"), tokens)
    });
    let fresh = fresh.collect();
    let (none, known) = (
        file("none.txt".to_owned(), Vec::new()),
        file("known.txt".to_owned(), vec![known]),
    );
    [
        Scenario {
            name: "public route",
            path: "/public/a",
            requests: KNOWN,
            tokens: vec![none],
        },
        Scenario {
            name: "known token",
            path: "/orders/17",
            requests: KNOWN,
            tokens: vec![known],
        },
        Scenario {
            name: "fresh token",
            path: "/orders/17",
            requests: FRESH,
            tokens: fresh,
        },
    ]
}

impl Scenario {
    /// Microseconds of the proxy's processor time for one request.
    async fn cost(&self, peer: &Peer, round: usize, folder: &Path) -> f64 {
        let script = folder.join("wrk.lua");
        std::fs::write(&script, include_str!("wrk.lua")).unwrap();
        let mut wrk = tokio::process::Command::new("taskset");
        wrk.args([
            "-c",
            "0",
            "wrk",
            "-t1",
            "-c",
            CONNECTIONS,
            "-d",
            SECOND,
            "-s",
        ])
        .arg(&script);
        wrk.arg(format!("http://{}{}", peer.address, self.path))
            .arg("--");
        wrk.arg(&self.tokens[round % self.tokens.len()])
            .arg(self.requests.to_string());
        let before = peer.process.processor_time();
        let output = wrk.output().await.unwrap();
        let spent = peer.process.processor_time().saturating_sub(before);
        let text = String::from_utf8_lossy(&output.stdout);
        let counted = text
            .lines()
            .find_map(|line| line.strip_prefix("counted "))
            .unwrap_or_default();
        let mut counted = counted
            .split(' ')
            .map(|number| number.parse::<u32>().unwrap());
        let (requests, failed) = (counted.next().unwrap(), counted.next().unwrap());
        assert_eq!(failed, 0, "{} at {}: {text}", self.name, peer.name);
        spent.as_secs_f64() * 1e6 / f64::from(requests)
    }
}

/// This program and what it starts stay on one core.
fn pin_to(core: usize) {
    let (core, id) = (core.to_string(), std::process::id().to_string());
    assert!(
        Command::new("taskset")
            .args(["-a", "-p", "-c", &core, &id])
            .output()
            .unwrap()
            .status
            .success()
    );
}

fn median(costs: &mut [f64]) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}
