//! Figures: percentiles of times, in milliseconds.

use std::fmt;
use std::time::Duration;

/// Times, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that so many of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let place = (self.0.len() * percent)
            .div_ceil(100)
            .saturating_sub(1);
        self.0
            .get(place.min(last))
            .copied()
            .unwrap_or_default()
    }
}

/// min, p50, p90, p99 and max.
impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, percent) in [("min", 0), ("p50", 50), ("p90", 90), ("p99", 99)] {
            let time = milliseconds(self.percentile(percent));
            write!(f, "{name} {time:.1}  ")?;
        }
        let most = milliseconds(self.percentile(100));
        write!(f, "max {most:.1} ms  ({} times)", self.len())
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
