//! A circuit breaker in front of an endpoint: after some failures in a row nobody asks for a while,
//! then one request tries.
//!
//! It spares an endpoint that is down, and spares callers the wait for it. It never decides about a
//! token: while it is open, the answer is an outage.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many failures in a row open it.
const FAILURES: u32 = 5;
/// How long it stays open the first time, and at most: each failed try doubles it.
const OPEN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// The longest wait that an endpoint can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Counts failures and says whether to ask.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    failures: u32,
    openings: u32,
    open_until: Option<Duration>,
    trying: bool,
}

/// Whether a breaker lets requests through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Requests go through.
    Closed,
    /// Nobody asks for this long.
    Open(Duration),
    /// One request goes through, to see whether the endpoint is back.
    Trying,
}

/// Leave for one request. Its outcome has to be reported; if it is dropped instead, nothing was
/// learnt.
#[derive(Debug)]
#[must_use]
pub struct Attempt<'b> {
    breaker: &'b Breaker,
    trying: bool,
}

impl Breaker {
    /// One attempt to ask.
    ///
    /// # Errors
    ///
    /// How long to wait before the next one.
    pub fn attempt(&self, now: Duration) -> Result<Attempt<'_>, Duration> {
        let mut counts = self.counts();
        let Some(until) = counts.open_until else {
            return Ok(Attempt {
                breaker: self,
                trying: false,
            });
        };
        if now < until {
            return Err(until - now);
        }
        // The endpoint may still be down: a crowd that returns at once would all wait for it.
        if counts.trying {
            return Err(Duration::from_secs(1));
        }
        counts.trying = true;
        Ok(Attempt {
            breaker: self,
            trying: true,
        })
    }

    /// Whether requests go through at this moment.
    pub fn state(&self, now: Duration) -> BreakerState {
        let counts = self.counts();
        match counts.open_until {
            None => BreakerState::Closed,
            Some(until) if now < until => BreakerState::Open(until - now),
            Some(_) => BreakerState::Trying,
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The endpoint answered as it should: everything starts over.
    pub fn succeed(self) {
        *self.breaker.counts() = Counts::default();
    }

    /// The endpoint did not answer as it should. If it said when to come back, nobody asks before
    /// that.
    pub fn fail(self, now: Duration, retry_after: Option<Duration>) {
        let mut counts = self.breaker.counts();
        counts.failures = counts.failures.saturating_add(1);
        let is_open = counts.open_until.is_some_and(|until| now < until);
        // Requests that were under way when it opened fail late, and must not lengthen the wait.
        let stays_as_it_is = is_open || (!self.trying && counts.failures < FAILURES);
        let wait = match retry_after {
            // Bounded: a mistaken header must not keep an API down for days.
            Some(wait) => wait.min(LONGEST_WAIT),
            None if stays_as_it_is => return,
            None => {
                let (first, most) = OPEN;
                first
                    .saturating_mul(1 << counts.openings.min(8))
                    .min(most)
            }
        };
        counts.openings = counts.openings.saturating_add(1);
        counts.open_until = counts.open_until.max(Some(now + wait));
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // A caller that goes away in the middle leaves the try to the next one.
        if self.trying {
            self.breaker.counts().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    fn fail(breaker: &Breaker, second: u64) {
        breaker
            .attempt(at(second))
            .ok()
            .unwrap()
            .fail(at(second), None);
    }

    fn wait(breaker: &Breaker, second: u64) -> Option<u64> {
        breaker
            .attempt(at(second))
            .err()
            .map(|wait| wait.as_secs())
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_one_success_closes_it() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            fail(&breaker, 100);
        }
        breaker.attempt(at(100)).ok().unwrap().succeed();
        for _ in 0..4 {
            fail(&breaker, 100);
        }
        assert_eq!(
            (wait(&breaker, 100), breaker.state(at(100))),
            (None, BreakerState::Closed)
        );
        fail(&breaker, 100);
        assert_eq!(
            (wait(&breaker, 101), breaker.state(at(101))),
            (Some(4), BreakerState::Open(at(4)))
        );
        breaker.attempt(at(105)).ok().unwrap().succeed();
        assert_eq!(wait(&breaker, 105), None);
    }

    #[test]
    fn one_tries_at_a_time_and_each_failure_doubles_the_wait() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            fail(&breaker, 0);
        }
        let mut now = 5;
        for expected in [10, 20, 40, 60, 60] {
            let trying = breaker.attempt(at(now)).ok().unwrap();
            assert_eq!(
                (wait(&breaker, now), breaker.state(at(now))),
                (Some(1), BreakerState::Trying)
            );
            trying.fail(at(now), None);
            assert_eq!(wait(&breaker, now), Some(expected));
            now += expected;
        }
        drop(breaker.attempt(at(now)).ok().unwrap());
        assert_eq!(
            wait(&breaker, now),
            None,
            "whoever gives up lets the next one try"
        );
    }

    #[test]
    fn what_the_endpoint_asks_for_is_honoured_within_reason() {
        let breaker = Breaker::default();
        breaker
            .attempt(at(0))
            .ok()
            .unwrap()
            .fail(at(0), Some(at(7)));
        assert_eq!((wait(&breaker, 6), wait(&breaker, 7)), (Some(1), None));
        let breaker = Breaker::default();
        breaker
            .attempt(at(0))
            .ok()
            .unwrap()
            .fail(at(0), Some(at(86_400)));
        assert_eq!(wait(&breaker, 0), Some(300));
    }

    #[test]
    fn late_failures_do_not_lengthen_the_wait() {
        let breaker = Breaker::default();
        let many: Vec<_> = (0..9)
            .map(|_| breaker.attempt(at(0)).ok().unwrap())
            .collect();
        for leave in many {
            leave.fail(at(1), None);
        }
        assert_eq!(wait(&breaker, 1), Some(5));
    }
}
