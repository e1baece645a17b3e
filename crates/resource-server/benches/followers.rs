//! How far one Redis carries: ten, a hundred and a thousand replicas that follow it, as they do in
//! a process of their own, over loopback.
//!
//! `PORTCULLIS_REDIS_SERVER` names the program; else `redis-server` of the `PATH` is taken. A
//! thousand replicas need some 1,100 file descriptors.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

use portcullis_core::token::NumericDate;
use portcullis_idp::{Endpoint, Idp, IdpConfig};
use portcullis_resource_server::{Config, ResourceServer, Revocation, Settings};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Revocations a second.
const RATES: [u32; 3] = [1, 100, 1_000];

const TICK: Duration = Duration::from_millis(10);

fn main() {
    // `cargo test` runs benches too, with another argument: then a little shows that they work.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (sizes, seconds): (&[usize], u32) = if is_bench {
        (&[10, 100, 1_000], 10)
    } else {
        (&[2], 1)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for replicas in sizes {
            let Some(fleet) = Fleet::new(*replicas).await else {
                println!("skipped: no redis-server");
                return;
            };
            fleet.measure(seconds).await;
        }
    });
}

struct Fleet {
    redis: Redis,
    idp: Idp,
    replicas: Vec<ResourceServer>,
    writer: ResourceServer,
}

impl Fleet {
    async fn new(replicas: usize) -> Option<Self> {
        let redis = Redis::start().await?;
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let server = || {
            let text = format!(
                "remembered_tokens = 0\n[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n\
                 [revocation]\nstore = \"redis://127.0.0.1:{}\"\n",
                idp.issuer(),
                idp.audience(),
                redis.port
            );
            let settings = Settings::try_from(Config::from_toml(&text).unwrap());
            let server = ResourceServer::with_settings(settings.unwrap());
            server.start();
            server
        };
        let writer = server();
        let replicas: Vec<_> = (0..replicas).map(|_| server()).collect();
        let fleet = Self {
            writer,
            replicas,
            redis,
            idp,
        };
        let began = Instant::now();
        for replica in &fleet.replicas {
            while !replica.is_ready() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        println!(
            "\n{} replicas: ready after {:.1} s; {} requests for metadata and {} for keys",
            fleet.replicas.len(),
            began.elapsed().as_secs_f64(),
            fleet.idp.requests(Endpoint::Metadata),
            fleet.idp.requests(Endpoint::Jwks),
        );
        // One entry, so that replicas have a place in the log to ask for.
        fleet.revoke("first".to_owned()).await;
        fleet.wait_for(1).await;
        Some(fleet)
    }

    async fn revoke(&self, id: String) {
        let until = NumericDate::from_seconds(4_000_000_000);
        let revocation = Revocation::token(self.idp.issuer(), &id, until);
        self.writer.revoke(revocation).await.unwrap();
    }

    /// Waits until every replica holds so many entries.
    async fn wait_for(&self, entries: usize) {
        for replica in &self.replicas {
            while replica.status().revocation.entries < entries {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
    }

    async fn measure(&self, seconds: u32) {
        println!(
            "{:>14} {:>11} {:>11} {:>9} {:>9} {:>8} {:>10} {:>9} {:>9}",
            "revocations/s",
            "connections",
            "commands/s",
            "kB/s in",
            "kB/s out",
            "Redis",
            "here",
            "median",
            "worst"
        );
        let (before, began) = (self.redis.usage(), Instant::now());
        tokio::time::sleep(Duration::from_secs(seconds.into())).await;
        self.print("none", &before, began.elapsed(), &[f64::NAN]);
        for rate in RATES {
            let (before, began) = (self.redis.usage(), Instant::now());
            let lags = self.revoke_at(rate, seconds).await;
            self.print(&rate.to_string(), &before, began.elapsed(), &lags);
        }
        let memory = self.redis.info("used_memory:");
        println!("Redis holds {:.1} MB at the end", memory / 1e6);
    }

    /// Revokes at this rate; the lags of the last replica behind single revocations, sorted, in
    /// milliseconds.
    async fn revoke_at(&self, rate: u32, seconds: u32) -> Vec<f64> {
        let began = Instant::now();
        let mut entries = self.writer.status().revocation.entries;
        let mut lags = Vec::new();
        let mut number = 0;
        while began.elapsed() < Duration::from_secs(seconds.into()) {
            let due = began.elapsed().as_secs_f64() * f64::from(rate);
            let mut batch = tokio::task::JoinSet::new();
            while f64::from(number) < due {
                number += 1;
                entries += 1;
                let (writer, issuer) = (self.writer.clone(), self.idp.issuer().clone());
                batch.spawn(async move {
                    let until = NumericDate::from_seconds(4_000_000_000);
                    let id = format!("{rate}-{number}");
                    writer
                        .revoke(Revocation::token(&issuer, &id, until))
                        .await
                });
            }
            if !batch.is_empty() {
                let revoked = Instant::now();
                let written = batch.join_all().await;
                let late = written
                    .iter()
                    .filter(|written| written.is_err())
                    .count();
                if late > 0 {
                    println!("{late} revocations of {number} were not written in time");
                }
                self.wait_for(entries).await;
                lags.push(revoked.elapsed().as_secs_f64() * 1_000.0);
            }
            tokio::time::sleep(TICK).await;
        }
        lags.sort_by(f64::total_cmp);
        lags
    }

    fn print(&self, rate: &str, before: &RedisUsage, took: Duration, lags: &[f64]) {
        let (after, seconds) = (self.redis.usage(), took.as_secs_f64());
        let each = |now: f64, then: f64| (now - then) / seconds;
        println!(
            "{rate:>14} {:>11} {:>11.0} {:>9.1} {:>9.1} {:>7.1}% {:>9.1}% {:>6.1} ms {:>6.1} ms",
            after.connections,
            each(after.commands, before.commands),
            each(after.received, before.received) / 1e3,
            each(after.sent, before.sent) / 1e3,
            100.0 * each(after.processor, before.processor),
            100.0 * each(after.here, before.here),
            lags[lags.len() / 2],
            lags[lags.len() - 1],
        );
    }
}

/// A Redis without persistence. It is killed when it is dropped.
struct Redis {
    child: Child,
    port: u16,
}

struct RedisUsage {
    connections: f64,
    commands: f64,
    received: f64,
    sent: f64,
    /// Seconds.
    processor: f64,
    /// Seconds of this process.
    here: f64,
}

impl Redis {
    async fn start() -> Option<Self> {
        let program = std::env::var_os("PORTCULLIS_REDIS_SERVER");
        // The listener is dropped at once: the Redis binds the port.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|port| port.local_addr());
        let port = free.unwrap().port();
        let child = Command::new(program.unwrap_or_else(|| "redis-server".into()))
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--port",
                &port.to_string(),
            ])
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let redis = Self { child, port };
        while redis.ask(&["PING"]).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(redis)
    }

    fn ask(&self, command: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_connection()?;
        redis::cmd(command[0])
            .arg(&command[1..])
            .query(&mut connection)
    }

    fn info(&self, field: &str) -> f64 {
        let told = self.ask(&["INFO"]).unwrap();
        let told: String = redis::from_redis_value(told).unwrap();
        let line = told.lines().find_map(|line| line.strip_prefix(field));
        line.unwrap().trim().parse().unwrap()
    }

    fn usage(&self) -> RedisUsage {
        RedisUsage {
            connections: self.info("connected_clients:") - 1.0,
            commands: self.info("total_commands_processed:"),
            received: self.info("total_net_input_bytes:"),
            sent: self.info("total_net_output_bytes:"),
            processor: self.info("used_cpu_sys:") + self.info("used_cpu_user:"),
            here: processor_time(),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Of this process, from Linux: in hundredths of a second.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
