//! How many fetches unknown keys may force: a burst, then one at a time.

use std::time::Duration;

/// A budget that fills up again with time. It is spent before the fetch, whatever comes of that.
#[derive(Debug)]
pub struct Budget {
    most: u32,
    every: Duration,
    left: u32,
    counted_at: Duration,
}

impl Budget {
    /// A full budget of `most`; one comes back after each `every`.
    pub fn new(most: u32, every: Duration) -> Self {
        Self {
            most,
            every,
            left: most,
            counted_at: Duration::ZERO,
        }
    }

    /// Takes one, if there is one at this moment.
    pub fn take(&mut self, now: Duration) -> bool {
        self.refill(now);
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }

    /// How long it takes until there is one.
    pub(super) fn wait(&mut self, now: Duration) -> Duration {
        self.refill(now);
        if self.left > 0 {
            return Duration::ZERO;
        }
        // From the last refill, not from now: part of the interval has passed already.
        (self.counted_at + self.every).saturating_sub(now)
    }

    /// Takes one, but never the last one, unless the whole budget is one.
    pub(super) fn take_spare(&mut self, now: Duration) -> bool {
        self.refill(now);
        let reserve = u32::from(self.most > 1);
        self.left > reserve && self.take(now)
    }

    fn refill(&mut self, now: Duration) {
        // Whole intervals only: what is left of one counts towards the next.
        while self.left < self.most && now.saturating_sub(self.counted_at) >= self.every {
            self.left += 1;
            self.counted_at += self.every;
        }
        if self.left == self.most {
            self.counted_at = now; // a full budget gathers nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_per_interval() {
        let mut budget = Budget::new(2, Duration::from_secs(30));
        let mut taken = |second| budget.take(Duration::from_secs(second));
        assert_eq!(
            [taken(1_000), taken(1_000), taken(1_000), taken(1_029)],
            [true, true, false, false]
        );
        assert_eq!(
            [taken(1_030), taken(1_030), taken(1_059), taken(1_060)],
            [true, false, false, true]
        );
        let mut empty = Budget::new(1, Duration::from_secs(30));
        let second = Duration::from_secs;
        assert_eq!(empty.wait(second(100)), Duration::ZERO);
        assert!(empty.take(second(100)));
        assert_eq!(empty.wait(second(110)), second(20));
        assert_eq!(
            [taken(9_000), taken(9_000), taken(9_000)],
            [true, true, false]
        );
    }
}
