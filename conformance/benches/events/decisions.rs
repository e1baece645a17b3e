//! Ordinary decisions beside the load: a known token, at a fixed rate, at each replica.

use crate::figures::Times;
use crate::wire::{Connection, get};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Between two decisions at one replica.
const PAUSE: Duration = Duration::from_millis(20);

/// Callers that ask until they are stopped.
pub(crate) struct Decisions {
    stop: Arc<AtomicBool>,
    callers: JoinSet<(Vec<Duration>, usize)>,
}

impl Decisions {
    pub(crate) fn start(addresses: &[SocketAddr], token: &str) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let mut callers = JoinSet::new();
        for address in addresses {
            callers.spawn(ask(*address, get("/orders", token), Arc::clone(&stop)));
        }
        Self { stop, callers }
    }

    /// How long each took, and how many were not answered 200.
    pub(crate) async fn stop(mut self) -> (Times, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut all, mut wrong) = (Vec::new(), 0);
        while let Some(caller) = self.callers.join_next().await {
            let (times, others) = caller.unwrap();
            all.extend(times);
            wrong += others;
        }
        (Times::new(all), wrong)
    }
}

async fn ask(
    address: SocketAddr,
    request: Vec<u8>,
    stop: Arc<AtomicBool>,
) -> (Vec<Duration>, usize) {
    let (mut times, mut wrong) = (Vec::new(), 0);
    let mut connection = Connection::open(address).await.unwrap();
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        due += PAUSE;
        // One that comes late because its predecessor did is measured from when it was due.
        let mut began = due;
        if let Some(wait) = due.checked_duration_since(Instant::now()) {
            tokio::time::sleep(wait).await;
            began = Instant::now();
        }
        let answer = connection.ask(&request).await.unwrap();
        times.push(began.elapsed());
        wrong += usize::from(answer.status != 200);
    }
    (times, wrong)
}
