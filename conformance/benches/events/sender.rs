//! A sender of events at a fixed rate, over many connections that stay open, as RFC 8935 has it:
//! what was not answered 202 is sent again.

use crate::figures::Times;
use crate::worker::Worker;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How it sends.
#[derive(Clone)]
pub(crate) struct SenderPlan {
    /// Events a second.
    pub(crate) rate: usize,
    pub(crate) connections: usize,
    /// Ends then, whatever is left; else when each event was answered 202.
    pub(crate) ends_after: Option<Duration>,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
}

/// What its connections share.
pub(crate) struct Sending {
    pub(crate) plan: SenderPlan,
    began: Instant,
    next: AtomicUsize,
    taken: Vec<AtomicBool>,
    /// Taken so far, and again by each second.
    pub(crate) count: AtomicUsize,
    by_second: Vec<AtomicUsize>,
    waiting: Mutex<BinaryHeap<(Reverse<Instant>, usize)>>,
    is_waiting: AtomicBool,
    pub(crate) is_refused: AtomicBool,
}

/// What became of it.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// Sent, and the connection ended without an answer.
    pub(crate) unanswered: usize,
    pub(crate) times: Vec<Duration>,
}

/// What a connection has to do next.
pub(crate) enum Step {
    Send(usize),
    Wait(Duration),
    End,
}

/// How long a connection without work rests.
const REST: Duration = Duration::from_millis(5);

impl Sending {
    pub(crate) fn new(plan: SenderPlan) -> Arc<Self> {
        let events = plan.requests.len();
        Arc::new(Self {
            began: Instant::now(),
            next: AtomicUsize::new(0),
            taken: (0..events).map(|_| AtomicBool::new(false)).collect(),
            count: AtomicUsize::new(0),
            by_second: (0..3_600).map(|_| AtomicUsize::new(0)).collect(),
            waiting: Mutex::default(),
            is_waiting: AtomicBool::new(false),
            is_refused: AtomicBool::new(false),
            plan,
        })
    }

    /// Sends on a thread of its own until it ends.
    pub(crate) async fn run(self: &Arc<Self>) -> Sent {
        let sending = Arc::clone(self);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let mut workers = tokio::task::JoinSet::new();
                for number in 0..sending.plan.connections {
                    workers.spawn(Worker::new(&sending, number).run());
                }
                let mut all = Sent::default();
                while let Some(sent) = workers.join_next().await {
                    all.add(sent.unwrap());
                }
                all
            })
        });
        let joined = tokio::task::spawn_blocking(move || thread.join());
        joined.await.unwrap().unwrap()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn next_step(&self) -> Step {
        let now = Instant::now();
        let is_over = self
            .plan
            .ends_after
            .is_some_and(|end| now - self.began >= end);
        if is_over || self.is_refused.load(Ordering::Relaxed) {
            return Step::End;
        }
        if let Some(event) = self.take_waiting(now) {
            return Step::Send(event);
        }
        if self.next.load(Ordering::Relaxed) >= self.taken.len() {
            let is_done = self.count.load(Ordering::Relaxed) == self.taken.len();
            return if is_done { Step::End } else { Step::Wait(REST) };
        }
        let event = self.next.fetch_add(1, Ordering::Relaxed);
        if event >= self.taken.len() {
            return Step::Wait(REST);
        }
        Step::Send(event)
    }

    /// How long until an event may be sent for the first time.
    pub(crate) fn due_in(&self, event: usize) -> Duration {
        let due = Duration::from_secs_f64(event as f64 / self.plan.rate as f64);
        due.saturating_sub(self.began.elapsed())
    }

    fn take_waiting(&self, now: Instant) -> Option<usize> {
        if !self.is_waiting.load(Ordering::Relaxed) {
            return None;
        }
        let mut waiting = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_due = waiting.peek().is_some_and(|(due, _)| due.0 <= now);
        let event = if is_due { waiting.pop() } else { None };
        self.is_waiting
            .store(!waiting.is_empty(), Ordering::Relaxed);
        event.map(|(_, event)| event)
    }

    pub(crate) fn send_again(&self, event: usize, wait: Duration) {
        let mut waiting = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.push((Reverse(Instant::now() + wait), event));
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    pub(crate) fn note_taken(&self, event: usize) {
        if !self.taken[event].swap(true, Ordering::Relaxed) {
            self.count.fetch_add(1, Ordering::Relaxed);
            let second = self.began.elapsed().as_secs() as usize;
            self.by_second[second.min(3_599)].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were taken in each second.
    pub(crate) fn by_second(&self) -> Vec<usize> {
        let seconds = self.began.elapsed().as_secs() as usize;
        let counts = self.by_second.iter().take(seconds.min(3_600));
        counts
            .map(|count| count.load(Ordering::Relaxed))
            .collect()
    }
}

impl Sent {
    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.times.extend(other.times);
    }

    pub(crate) fn count(&self, status: u16) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    pub(crate) fn into_times(self) -> Times {
        Times::new(self.times)
    }
}
