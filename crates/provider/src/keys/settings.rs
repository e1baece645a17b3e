//! The times and bounds of the key cache.

use std::path::PathBuf;
use std::time::Duration;

/// How an issuer's keys are kept fresh. The defaults suit every provider that we know.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// How old a set grows before it is fetched again, where the issuer does not say. Default 10
    /// minutes.
    pub refresh: Duration,
    /// The least and the most that the issuer's `max-age` can make of it. Default 5 minutes and 24
    /// hours.
    pub refresh_bounds: (Duration, Duration),
    /// How long the last good set is used while no new one can be had. Default 24 hours.
    pub outlive: Duration,
    /// How long a request waits for a key that is not there yet. Default 2 seconds.
    pub patience: Duration,
    /// How many fetches unknown keys can force in a row. Default 2.
    pub forced_fetches: u32,
    /// How long it takes until one more can be forced. Default 30 seconds.
    pub forced_fetch_every: Duration,
    /// How long a signature that fails under a known `kid` forces no further fetch, once a fetch
    /// found the same keys. Default 5 seconds.
    pub settled_for: Duration,
    /// How long an unknown `kid` is remembered as unknown. Default 60 seconds.
    pub unknown_for: Duration,
    /// How many unknown `kid`s are remembered. Default 1,024.
    pub unknown_kids: usize,
    /// The longest `kid` that can force a fetch, in bytes. Default 256.
    pub longest_kid: usize,
    /// The least and the most time between attempts while the issuer fails. Default 1 and 60
    /// seconds.
    pub retry: (Duration, Duration),
    /// How long metadata is used before it is asked for again, and how long at most. Default 1 hour
    /// and 7 days.
    pub metadata: (Duration, Duration),
    /// The members of the metadata that are needed besides `jwks_uri`: if one is missing, the other
    /// well-known addresses are asked as well. Default none.
    pub needed: Vec<&'static str>,
    /// A file that keeps the last good set for a start while the issuer is down. Default none.
    pub snapshot: Option<PathBuf>,
}

impl KeySettings {
    /// After how long a set is fetched again, by the `max-age` that it came with; a tenth more or
    /// less is left to chance.
    pub fn refresh_after(&self, max_age: Option<Duration>) -> Duration {
        // Both bounds matter: `max-age=0` must not make every request fetch, and a year would hide
        // a rotation.
        let (least, most) = self.refresh_bounds;
        max_age.map_or(self.refresh, |age| age.clamp(least, most))
    }
}

impl Default for KeySettings {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let seconds = Duration::from_secs;
        Self {
            refresh: seconds(10 * MINUTE),
            refresh_bounds: (seconds(5 * MINUTE), seconds(24 * HOUR)),
            outlive: seconds(24 * HOUR),
            patience: seconds(2),
            forced_fetches: 2,
            forced_fetch_every: seconds(30),
            settled_for: seconds(5),
            unknown_for: seconds(60),
            unknown_kids: 1_024,
            longest_kid: 256,
            retry: (seconds(1), seconds(60)),
            metadata: (seconds(HOUR), seconds(7 * 24 * HOUR)),
            needed: Vec::new(),
            snapshot: None,
        }
    }
}
