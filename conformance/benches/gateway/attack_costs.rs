//! What an attack costs the gateway, beside a plain request, and what good callers notice of it.
//!
//! Each case has a gateway of its own, with its defaults. The attacker's bytes are counted, and the
//! gateway's descriptors, memory and processor time while it is attacked, and the bytes that the
//! upstream receives. The ratio says how many times as much a byte of the attacker buys as a byte
//! of plain requests: processor time and upstream bytes compare with requests one after another,
//! descriptors and memory with requests that wait, one on each connection. The largest of the four
//! counts. A good caller sends requests all the time, and none of its answers may be wrong.

use crate::attacks::{CASES, Case};
use crate::process::{Process, answers, folder, free_address, portcullis};
use crate::sink::Sink;
use portcullis_idp::{Idp, IdpConfig};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// No attack may buy more than this many times what a plain request does.
const AIM: f64 = 20.0;
/// Less than this is noise, whatever it is divided by.
const NOISE: Cost = Cost {
    descriptors: 8,
    resident: 4_096,
    upstream: 4_096,
    processor: 40_000,
};

/// What it took: descriptors, kilobytes, bytes at the upstream, microseconds.
#[derive(Clone, Copy, Default)]
struct Cost {
    descriptors: u64,
    resident: u64,
    upstream: u64,
    processor: u64,
}

/// What an attacker has at hand.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Bytes that were sent.
    pub(crate) sent: Arc<AtomicU64>,
}

/// The good caller's answers: all, and those that were wrong.
#[derive(Default)]
struct Good {
    asked: AtomicU64,
    wrong: AtomicU64,
    slowest: AtomicU64,
    stop: AtomicBool,
}

/// Whether nothing costs more than it may, and no good caller lost anything.
pub(crate) async fn run() -> bool {
    let folder = folder("hostile");
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    println!(
        "of the attacker: bytes sent; of the gateway: most descriptors, kB more, bytes at the upstream, ms of processor"
    );
    println!(
        "{:<52}{:>10}{:>6}{:>8}{:>11}{:>8}{:>8}  good callers",
        "case", "sent", "fds", "kB", "upstream", "ms", "ratio"
    );
    let mut plain: Option<[f64; 4]> = None;
    let mut good = true;
    for case in CASES {
        let measured = measure(case, &idp, &folder).await;
        let own = measured.per_byte();
        // The first two cases are plain: one is the measure for what passes, the other for what
        // stays.
        let plain = match (&mut plain, case.is_waiting) {
            (Some(plain), true) => {
                (plain[0], plain[1]) = (own[0], own[1]);
                *plain
            }
            (plain, _) => *plain.get_or_insert(own),
        };
        let ratio = measured.ratio(&plain);
        let lost = measured.wrong > 0 || !measured.lives;
        good &= ratio <= AIM && !lost;
        let Measured {
            sent,
            cost,
            asked,
            wrong,
            slowest,
            ..
        } = measured;
        println!(
            "{:<52}{sent:>10}{:>6}{:>8}{:>11}{:>8}{ratio:>8.1}  {wrong} of {asked} wrong, slowest {slowest} ms{}",
            case.name,
            cost.descriptors,
            cost.resident,
            cost.upstream,
            cost.processor / 1_000,
            if measured.lives { "" } else { ", PROBES DIED" },
        );
    }
    println!("aim: nothing above {AIM}, no good caller wrong");
    good
}

struct Measured {
    sent: u64,
    cost: Cost,
    asked: u64,
    wrong: u64,
    slowest: u64,
    lives: bool,
}

impl Measured {
    /// What a byte buys: descriptors, memory, upstream bytes, processor time.
    fn per_byte(&self) -> [f64; 4] {
        let Cost {
            descriptors,
            resident,
            upstream,
            processor,
        } = self.cost;
        [descriptors, resident, upstream, processor]
            .map(|cost| cost.max(1) as f64 / self.sent.max(1) as f64)
    }

    fn ratio(&self, plain: &[f64; 4]) -> f64 {
        let Cost {
            descriptors,
            resident,
            upstream,
            processor,
        } = self.cost;
        let loud = [
            descriptors > NOISE.descriptors,
            resident > NOISE.resident,
            upstream > NOISE.upstream,
            processor > NOISE.processor,
        ];
        let ratios = self
            .per_byte()
            .into_iter()
            .zip(plain)
            .zip(loud)
            .filter(|(_, loud)| *loud);
        ratios
            .map(|((own, plain), _)| own / plain)
            .fold(0.0, f64::max)
    }
}

async fn measure(case: &Case, idp: &Idp, folder: &Path) -> Measured {
    let sink = Sink::start().await;
    let (address, admin) = (free_address(), free_address());
    let settings = folder.join("portcullis.toml");
    std::fs::write(&settings, text(idp, address, admin, &sink)).unwrap();
    let arguments = ["serve", "--config", settings.to_str().unwrap()];
    let gateway = Process::start(&portcullis(), &arguments, None, &folder.join("gateway.txt"));
    answers(&format!("http://{admin}/ready")).await;
    let good = Arc::new(Good::default());
    let target = Target {
        address,
        sent: Arc::default(),
    };
    let asking = tokio::spawn(ask(address, Arc::clone(&good), Duration::from_millis(20)));
    // The good caller alone, to be taken off.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = now(&gateway, &sink);
    tokio::time::sleep(case.lasts).await;
    let quiet = now(&gateway, &sink);
    let (attack, began) = (tokio::spawn((case.attack)(target.clone())), Instant::now());
    let (mut most, mut lives) = (quiet, true);
    while began.elapsed() < case.lasts {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let at = now(&gateway, &sink);
        most.descriptors = most.descriptors.max(at.descriptors);
        most.resident = most.resident.max(at.resident);
        lives &= probe(admin).await;
    }
    let end = now(&gateway, &sink);
    good.stop.store(true, Ordering::Relaxed);
    _ = asking.await;
    attack.abort();
    let over = |end: u64, quiet: u64, before: u64| (end - quiet).saturating_sub(quiet - before);
    Measured {
        sent: target.sent.load(Ordering::Relaxed),
        cost: Cost {
            descriptors: most.descriptors.saturating_sub(quiet.descriptors),
            resident: most.resident.saturating_sub(quiet.resident),
            upstream: over(end.upstream, quiet.upstream, before.upstream),
            processor: over(end.processor, quiet.processor, before.processor),
        },
        asked: good.asked.load(Ordering::Relaxed),
        wrong: good.wrong.load(Ordering::Relaxed),
        slowest: good.slowest.load(Ordering::Relaxed),
        lives,
    }
}

fn now(gateway: &Process, sink: &Sink) -> Cost {
    Cost {
        descriptors: gateway.descriptors(),
        resident: gateway.resident(),
        upstream: sink.received(),
        processor: u64::try_from(gateway.processor_time().as_micros()).unwrap(),
    }
}

/// Whether the probe answers in time.
async fn probe(admin: SocketAddr) -> bool {
    let asked = reqwest::get(format!("http://{admin}/live"));
    tokio::time::timeout(Duration::from_secs(5), asked)
        .await
        .is_ok_and(|it| it.is_ok_and(|it| it.status() == 200))
}

/// Another caller, who asks for what there is, each time on another connection.
async fn ask(address: SocketAddr, good: Arc<Good>, pause: Duration) {
    while !good.stop.load(Ordering::Relaxed) {
        let client = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let (request, began) = (client.get(format!("http://{address}/ok")), Instant::now());
        let answer = request
            .header("x-forwarded-for", "198.51.100.7")
            .timeout(Duration::from_secs(2))
            .send()
            .await;
        good.asked.fetch_add(1, Ordering::Relaxed);
        let right = answer.is_ok_and(|answer| answer.status() == 200);
        good.wrong
            .fetch_add(u64::from(!right), Ordering::Relaxed);
        good.slowest.fetch_max(
            u64::try_from(began.elapsed().as_millis()).unwrap(),
            Ordering::Relaxed,
        );
        tokio::time::sleep(pause).await;
    }
}

/// Callers are told apart by `X-Forwarded-For`: all come from this machine.
fn text(idp: &Idp, address: SocketAddr, admin: SocketAddr, sink: &Sink) -> String {
    let (issuer, audience, upstream) = (idp.issuer(), idp.audience(), sink.address);
    format!(
        "[log]\naudit = \"none\"\n[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\"]\n\
         [gateway]\nlisten = \"{address}\"\nupstream = \"sink\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
         admin = {{ listen = \"{admin}\" }}\n[[route]]\npath = \"/**\"\naccess = \"public\"\n\
         [[route]]\npath = \"/closed/**\"\n[[upstream]]\nname = \"sink\"\nservers = [\"http://{upstream}\"]\n"
    )
}
