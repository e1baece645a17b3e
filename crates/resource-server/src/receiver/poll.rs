//! How the events of a stream are fetched (RFC 8936): with what, and what is still to be told.

use super::access::StreamAccess;
use portcullis_provider::egress::Egress;
use portcullis_provider::failure_log::{FailureLog, FailureNotice};
use portcullis_provider::fetch::Reach;
use portcullis_provider::shared_signals::{PollRequest, PollResponse, SetError};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;
use url::Url;

/// How long the transmitter may hold a request until there is an event.
const WAIT: Duration = Duration::from_secs(20);

/// The pauses after failures: they double from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How many events are asked for at once.
const MOST: usize = 500;

/// How a stream is polled, and with what.
pub(crate) struct Poller {
    url: Url,
    pub(crate) egress: Egress,
    access: StreamAccess,
    /// What tells this replica from the others.
    pub(crate) owner: String,
    log: FailureLog,
}

/// What the transmitter is still to be told.
#[derive(Default)]
pub(crate) struct Backlog {
    pub(crate) taken: Vec<String>,
    pub(crate) refused: Vec<SetError>,
    /// How many events could not be taken, or requests failed, one after the other.
    pub(crate) failures: u32,
}

impl Poller {
    pub(super) fn new(url: Url, egress: Egress, access: StreamAccess) -> Self {
        Self {
            url,
            egress,
            access,
            owner: format!("{:016x}", RandomState::new().hash_one(0_u8)),
            log: FailureLog::new(),
        }
    }

    /// One request. It waits for an event, where the transmitter does so.
    pub(crate) async fn fetch(&self, backlog: &Backlog) -> Result<PollResponse, String> {
        let authorization = self.access.obtain().await?;
        let request = PollRequest {
            url: &self.url,
            // The operator wrote it.
            reach: Reach::Anywhere,
            authorization: Some(&authorization),
            ack: &backlog.taken,
            errors: &backlog.refused,
            most: MOST,
            // Held, so that an event comes at once and not at the next beat.
            wait: WAIT,
        };
        match request.send(&self.egress).await {
            Ok(response) => Ok(response),
            Err(fault) => {
                self.access.forget(&fault, &authorization).await;
                Err(fault.to_string())
            }
        }
    }

    pub(crate) fn note_failure(&self, stream: &str, reason: &str) {
        match self.log.fail(self.egress.clock.elapsed()) {
            FailureNotice::First => {
                tracing::warn!(stream, reason, "events cannot be fetched");
            }
            FailureNotice::Again(toll) => {
                let failures = toll.failures;
                tracing::warn!(stream, reason, failures, "events still cannot be fetched");
            }
            FailureNotice::Known => tracing::debug!(stream, reason, "events cannot be fetched"),
        }
    }

    pub(crate) fn note_success(&self, stream: &str) {
        if let Some(toll) = self.log.succeed(self.egress.clock.elapsed()) {
            tracing::info!(stream, failures = toll.failures, "events are fetched again");
        }
    }
}

impl Backlog {
    /// Doubled with each failure, with a quarter more or less, so that replicas do not come at
    /// once.
    pub(crate) fn pause(&self) -> Duration {
        let (least, most) = RETRY;
        let doubled = least
            .saturating_mul(1 << self.failures.min(10))
            .min(most);
        let random = RandomState::new().hash_one(0_u8) % 1_000;
        doubled.mul_f64(0.75 + 0.5 * (random as f64 / 1_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_second_to_a_minute_and_differ_by_a_quarter() {
        for (failures, seconds) in [(0, 1.0), (1, 2.0), (5, 32.0), (6, 60.0), (u32::MAX, 60.0)] {
            let backlog = Backlog {
                failures,
                ..Backlog::default()
            };
            let pauses: Vec<f64> = (0..50)
                .map(|_| backlog.pause().as_secs_f64())
                .collect();
            let bounds = 0.75 * seconds..=1.25 * seconds;
            assert!(pauses.iter().all(|it| bounds.contains(it)), "{pauses:?}");
            // Replicas that failed together must not come back together.
            let least = pauses.iter().copied().fold(f64::MAX, f64::min);
            let most = pauses.iter().copied().fold(0.0, f64::max);
            assert!(most - least > 0.1 * seconds, "{pauses:?}");
        }
    }
}
