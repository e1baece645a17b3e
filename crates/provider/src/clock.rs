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

/// The answer, or `None` if `patience` ends first. An answer that is there counts: on a busy
/// machine, a task may be woken when both are over.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use portcullis_provider::clock::{Clock, SystemClock, wait_within};
/// use std::time::Duration;
///
/// let patience = SystemClock::new().sleep(Duration::from_secs(2));
/// assert_eq!(wait_within(async { 7 }, patience).await, Some(7));
/// # }
/// ```
pub async fn wait_within<T>(
    answer: impl Future<Output = T>,
    patience: impl Future<Output = ()>,
) -> Option<T> {
    tokio::select! {
        // In this order: by chance, a good answer would be thrown away half of the time.
        biased;
        answer = answer => Some(answer),
        () = patience => None,
    }
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
        self.elapsed
            .send_modify(|elapsed| *elapsed += duration);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn an_answer_that_is_there_counts_even_if_patience_ended_too() {
        // Often, so that chance does not pass.
        for number in 0..64 {
            assert_eq!(wait_within(ready(number), ready(())).await, Some(number));
        }
        assert_eq!(wait_within(pending::<u8>(), ready(())).await, None);
    }
}
