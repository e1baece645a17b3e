//! Failures that last, in few lines of the log: the first one, a summary now and then, and the end.
//!
//! It decides when there is something to say; its owner says it, with the names of what failed. It
//! holds a few numbers, however long an outage lasts, and the clock is an argument.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a lasting failure is logged again.
const INTERVAL: Duration = Duration::from_secs(300);

/// Counts the failures of one thing, such as an issuer's keys or an upstream.
#[derive(Debug)]
pub struct FailureLog {
    /// How long nothing must have failed before it counts as over.
    calm: Duration,
    /// Whether something failed: read on every success, without the lock.
    is_open: AtomicBool,
    spell: Mutex<Option<FailureSpell>>,
}

#[derive(Clone, Copy, Debug)]
struct FailureSpell {
    since: Duration,
    last: Duration,
    reported: Duration,
    failures: u64,
    denied: u64,
    /// Whether an attempt succeeded since the last failure.
    has_succeeded: bool,
}

/// What to log about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FailureNotice {
    /// The first failure: log why.
    First,
    /// It lasts: log for how long, and how much failed.
    Again(FailureToll),
    /// It was logged before.
    Known,
}

/// How long failures lasted, and what they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureToll {
    /// From the first failure on.
    pub lasted: Duration,
    /// How many attempts failed.
    pub failures: u64,
    /// How many requests got no decision, or no answer.
    pub denied: u64,
}

impl FailureLog {
    /// A log that ends an outage with the first success.
    pub fn new() -> Self {
        Self::with_calm(Duration::ZERO)
    }

    /// A log that ends an outage once nothing failed for this long. Otherwise each failure between
    /// successes would make two lines.
    pub fn with_calm(calm: Duration) -> Self {
        Self {
            calm,
            is_open: AtomicBool::new(false),
            spell: Mutex::new(None),
        }
    }

    /// An attempt failed.
    pub fn fail(&self, now: Duration) -> FailureNotice {
        self.note(now, |spell| spell.failures += 1)
    }

    /// A request got no decision, or no answer.
    pub fn deny(&self, now: Duration) -> FailureNotice {
        self.note(now, |spell| spell.denied += 1)
    }

    fn note(&self, now: Duration, count: impl FnOnce(&mut FailureSpell)) -> FailureNotice {
        let mut slot = self.spell();
        // A quiet server is not asked for hours. "Still failing after 2 h" would be false then.
        if slot.is_some_and(|spell| spell.has_ended(now, self.calm)) {
            *slot = None;
        }
        let Some(spell) = &mut *slot else {
            let mut first = FailureSpell {
                since: now,
                last: now,
                reported: now,
                failures: 0,
                denied: 0,
                has_succeeded: false,
            };
            count(&mut first);
            *slot = Some(first);
            // Under the lock, so that no success can clear the flag of a spell that begins.
            self.is_open.store(true, Ordering::Release);
            return FailureNotice::First;
        };
        count(spell);
        spell.last = now;
        spell.has_succeeded = false;
        if now.saturating_sub(spell.reported) < INTERVAL {
            return FailureNotice::Known;
        }
        spell.reported = now;
        FailureNotice::Again(spell.toll(now))
    }

    /// An attempt succeeded. The toll, if that ends the failures.
    pub fn succeed(&self, now: Duration) -> Option<FailureToll> {
        if !self.is_open.load(Ordering::Acquire) {
            return None;
        }
        let mut slot = self.spell();
        let spell = slot.as_mut()?;
        spell.has_succeeded = true;
        if !spell.has_ended(now, self.calm) {
            return None;
        }
        // With a calm, it ended with its last failure: nobody may have asked since.
        let end = if self.calm.is_zero() { now } else { spell.last };
        let toll = spell.toll(end);
        *slot = None;
        self.is_open.store(false, Ordering::Release);
        Some(toll)
    }

    fn spell(&self) -> MutexGuard<'_, Option<FailureSpell>> {
        // A panic elsewhere leaves whole numbers behind, and a log must not end a request.
        self.spell
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FailureLog {
    fn default() -> Self {
        Self::new()
    }
}

impl FailureSpell {
    fn has_ended(&self, now: Duration, calm: Duration) -> bool {
        self.has_succeeded && now.saturating_sub(self.last) >= calm
    }

    fn toll(&self, now: Duration) -> FailureToll {
        FailureToll {
            lasted: now.saturating_sub(self.since),
            failures: self.failures,
            denied: self.denied,
        }
    }
}

/// How long they lasted, in words: "4 min".
impl fmt::Display for FailureToll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lasted.as_secs() {
            seconds @ ..120 => write!(f, "{seconds} s"),
            seconds @ ..7_200 => write!(f, "{} min", seconds / 60),
            seconds => write!(f, "{} h", seconds / 3_600),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn an_outage_is_told_once_then_at_intervals_then_at_its_end() {
        let log = FailureLog::new();
        assert_eq!(log.succeed(at(0)), None, "nothing failed");
        assert_eq!(log.fail(at(10)), FailureNotice::First);
        for second in 11..310 {
            assert_eq!(log.deny(at(second)), FailureNotice::Known);
        }
        let FailureNotice::Again(toll) = log.fail(at(310)) else {
            panic!("five minutes are over");
        };
        assert_eq!((toll.lasted, toll.failures, toll.denied), (at(300), 2, 299));
        assert_eq!(log.fail(at(311)), FailureNotice::Known);
        let toll = log.succeed(at(370)).unwrap();
        assert_eq!((toll.lasted, toll.failures, toll.denied), (at(360), 3, 299));
        assert_eq!(log.succeed(at(371)), None);
        assert_eq!(log.deny(at(372)), FailureNotice::First, "a new one");
    }

    #[test]
    fn what_fails_now_and_then_makes_few_lines() {
        let log = FailureLog::with_calm(at(10));
        let (mut firsts, mut ends, mut summaries) = (0, 0, 0);
        for second in 0..3_600 {
            match log.fail(at(second)) {
                FailureNotice::First => firsts += 1,
                FailureNotice::Again(_) => summaries += 1,
                FailureNotice::Known => {}
            }
            ends += i32::from(log.succeed(at(second)).is_some());
        }
        assert_eq!((firsts, summaries, ends), (1, 11, 0));
        let toll = log.succeed(at(3_700)).unwrap();
        assert_eq!((toll.lasted, toll.failures), (at(3_599), 3_600));
    }

    #[test]
    fn a_failure_long_after_a_success_is_a_new_one() {
        let log = FailureLog::with_calm(at(10));
        assert_eq!(log.fail(at(0)), FailureNotice::First);
        assert_eq!(log.succeed(at(5)), None, "too early to call it over");
        assert_eq!(log.fail(at(15)), FailureNotice::First);
        assert_eq!(log.succeed(at(20)), None);
        assert_eq!(log.fail(at(24)), FailureNotice::Known, "not calm yet");
        // Without a success in between, silence proves nothing.
        assert!(matches!(log.fail(at(9_000)), FailureNotice::Again(_)));
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let told = |seconds| {
            let toll = FailureToll {
                lasted: at(seconds),
                failures: 1,
                denied: 0,
            };
            toll.to_string()
        };
        assert_eq!([told(3), told(240), told(90_000)], ["3 s", "4 min", "25 h"]);
    }
}
