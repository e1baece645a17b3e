//! The metrics of keys, and the span of a fetch.

use crate::metric::Metric;
use metrics::{Counter, Histogram};
use std::time::Duration;

/// Fetches of key sets.
pub const KEY_FETCHES: Metric = Metric::counter(
    "portcullis_key_fetches_total",
    &["issuer", "outcome"],
    "Fetches of an issuer's metadata and keys, by outcome (`ok`, `failed`).",
);
/// How long fetches of key sets took.
pub const KEY_FETCH_SECONDS: Metric = Metric::seconds(
    "portcullis_key_fetch_seconds",
    &["issuer"],
    "How long fetches of an issuer's metadata and keys took.",
);
/// Tokens whose key the issuer does not publish.
pub const UNKNOWN_KEYS: Metric = Metric::counter(
    "portcullis_unknown_keys_total",
    &["issuer"],
    "Tokens that were refused because the issuer publishes no such key.",
);
/// How many keys are in force.
pub const KEYS: Metric = Metric::gauge(
    "portcullis_keys",
    &["issuer"],
    "Keys in force; 0 while tokens of the issuer get 503.",
);
/// The moment when the issuer last confirmed its keys.
pub const KEYS_CONFIRMED: Metric = Metric::gauge(
    "portcullis_keys_confirmed_timestamp_seconds",
    &["issuer"],
    "When keys were last fetched well, in Unix time; 0 for never. Not there for fixed keys.",
);
/// The moment until which the keys are used.
pub const KEYS_GOOD_UNTIL: Metric = Metric::gauge(
    "portcullis_keys_good_until_timestamp_seconds",
    &["issuer"],
    "Until when the keys are used if no fetch goes well any more, in Unix time. Not there for \
        fixed keys.",
);
/// How many fetches failed since the last good one.
pub const KEY_FETCH_FAILURES: Metric = Metric::gauge(
    "portcullis_key_fetch_failures_in_a_row",
    &["issuer"],
    "Fetches that failed since the last good one.",
);

/// The span of one fetch of keys, level debug: field `issuer`.
pub const KEY_FETCH: &str = "portcullis.key_fetch";

/// The meters for the keys of one entry of the settings; the tenants of one entry share them.
#[derive(Clone, Debug)]
pub struct KeyMeters {
    good: Counter,
    failed: Counter,
    seconds: Histogram,
    pub(super) unknown: Counter,
}

impl KeyMeters {
    /// Meters of this issuer at the recorder that is installed at this moment.
    pub fn new(issuer: &str) -> Self {
        // The label is the entry of the settings, never a tenant's issuer: tokens would choose how
        // many series there are.
        metrics::with_recorder(|recorder| Self {
            good: KEY_FETCHES.count(recorder, &[issuer, "ok"]),
            failed: KEY_FETCHES.count(recorder, &[issuer, "failed"]),
            seconds: KEY_FETCH_SECONDS.times(recorder, &[issuer]),
            unknown: UNKNOWN_KEYS.count(recorder, &[issuer]),
        })
    }

    pub(super) fn count_fetch(&self, good: bool, took: Duration) {
        if good { &self.good } else { &self.failed }.increment(1);
        self.seconds.record(took.as_secs_f64());
    }
}
