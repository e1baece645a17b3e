//! The state of an issuer's keys.

use super::meters;
use metrics::Recorder;
use std::time::Duration;

/// The state of an issuer's keys: for readiness, logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// How many keys are in force; none before the first set and after the last one grew too old.
    pub keys: usize,
    /// How long ago the issuer last confirmed them.
    pub age: Option<Duration>,
    /// How much longer they are used if no fetch succeeds any more; `None` for fixed keys.
    pub good_for: Option<Duration>,
    /// How many fetches there were.
    pub fetches: u64,
    /// How many fetches failed since the last good one.
    pub failures: u32,
    /// Why the last fetch failed, if it did.
    pub last_failure: Option<String>,
}

impl KeyStatus {
    /// Records it in metrics, under the issuer as configured. `now` is in Unix time.
    pub fn record(&self, recorder: &dyn Recorder, issuer: &str, now: f64) {
        meters::KEYS.set(recorder, &[issuer], self.keys as f64);
        meters::KEY_FETCH_FAILURES.set(recorder, &[issuer], f64::from(self.failures));
        // Moments, not ages: an alert on a moment goes on counting while nobody scrapes.
        if let Some(good_for) = self.good_for {
            let confirmed = self.age.map_or(0.0, |age| now - age.as_secs_f64());
            meters::KEYS_CONFIRMED.set(recorder, &[issuer], confirmed);
            meters::KEYS_GOOD_UNTIL.set(recorder, &[issuer], now + good_for.as_secs_f64());
        }
    }
}
