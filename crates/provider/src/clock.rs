//! The clock as an argument: nothing else in this crate reads the time or waits for it.

use portcullis_core::token::NumericDate;
use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

/// The time of day for claims, a monotonic time for the age of cached values, and a way to wait.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day.
    fn now(&self) -> NumericDate;

    /// The time since some fixed moment; it never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits until [`elapsed`](Self::elapsed) has grown by `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// The clock of the machine, with its monotonic time starting now.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> NumericDate {
        SystemTime::now().into()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // Not the time of day: an operator who sets the clock must not wake or stall a wait.
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock for tests: it stands still until [`advance`](Self::advance) moves it.
#[derive(Debug)]
pub struct TestClock {
    start: NumericDate,
    elapsed: watch::Sender<Duration>,
}

impl TestClock {
    /// A clock that shows this time of day.
    pub fn at(start: NumericDate) -> Self {
        Self {
            start,
            elapsed: watch::Sender::new(Duration::ZERO),
        }
    }

    /// Lets time pass, and wakes every waiter whose time has come.
    pub fn advance(&self, duration: Duration) {
        self.elapsed.send_modify(|elapsed| *elapsed += duration);
    }
}

impl Clock for TestClock {
    fn now(&self) -> NumericDate {
        let seconds = i64::try_from(self.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.start.plus(seconds)
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut elapsed = self.elapsed.subscribe();
        let until = self.elapsed() + duration;
        Box::pin(async move {
            // The clock was dropped: its time stands still for ever, so this never becomes due.
            if elapsed.wait_for(|now| *now >= until).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
