//! When this replica last heard from the store: after too long a silence, nobody can tell what was
//! revoked.

use portcullis_core::{Outage, OutageCode};
use portcullis_provider::clock::Clock;
use portcullis_provider::failure_log::{FailureLog, FailureNotice};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The contact of a replica with its store.
#[derive(Debug)]
pub(crate) struct Contact {
    clock: Arc<dyn Clock>,
    grace: Duration,
    serves_without: bool,
    /// Milliseconds of the clock's monotonic time, plus one; 0 is never.
    heard: AtomicU64,
    /// Whether a first attempt to load the store has ended, well or not.
    tried: watch::Sender<bool>,
    read: AtomicU64,
    ignored: AtomicU64,
    failure: Mutex<Option<String>>,
    log: FailureLog,
}

/// The state of the store as this replica sees it: for readiness, logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStatus {
    /// Whether this replica has loaded the store, and has heard from it within the grace.
    pub in_step: bool,
    /// How long ago it last heard from the store; `None` before the first full load.
    pub last_contact: Option<Duration>,
    /// How many entries of the store were read; an entry counts again when the store is read whole
    /// again.
    pub read: u64,
    /// How many of them were ignored, because they were no revocations.
    pub ignored: u64,
    /// What went wrong last, until the store is heard from again.
    pub last_failure: Option<String>,
}

/// How long a request waits for the first load, if it comes that early.
const PATIENCE: Duration = Duration::from_secs(2);

impl Contact {
    pub(crate) fn new(clock: Arc<dyn Clock>, grace: Duration, serves_without: bool) -> Self {
        Self {
            clock,
            grace,
            serves_without,
            heard: AtomicU64::new(0),
            tried: watch::Sender::new(false),
            read: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            failure: Mutex::default(),
            log: FailureLog::new(),
        }
    }

    /// Waits until the store was loaded once, or that failed, or took too long.
    pub(crate) async fn first_attempt(&self) {
        // Only requests right after a start wait: later ones get the outage at once.
        if self.heard.load(Ordering::Acquire) > 0 || *self.tried.borrow() {
            return;
        }
        let mut tried = self.tried.subscribe();
        tokio::select! {
            _ = tried.wait_for(|tried| *tried) => {}
            () = self.clock.sleep(PATIENCE) => {}
        }
    }

    /// Whether decisions may rest on what this replica knows.
    ///
    /// # Errors
    ///
    /// The outage, unless the settings say to serve without the store.
    pub(crate) fn vouch(&self) -> Result<(), Outage> {
        if self.in_step() || self.serves_without {
            return Ok(());
        }
        // The operator needs to know which: a first load may take a while, a silence must not.
        let facts = match self.last_contact() {
            None => "the revocation store was not loaded yet",
            Some(_) => "the revocation store was not heard from for too long",
        };
        let failure = self.last_failure();
        let facts = format!("{facts}: {}", failure.as_deref().unwrap_or("no answer"));
        self.log_failure(self.log.deny(self.clock.elapsed()), &facts);
        let retry_after = Duration::from_secs(1);
        Err(Outage::new(OutageCode::Revocation, facts, retry_after).mark_logged())
    }

    /// Logs a loss once, and now and then that it lasts: the attempts go on, and would fill the
    /// log.
    fn log_failure(&self, notice: FailureNotice, reason: &str) {
        match notice {
            FailureNotice::First if self.serves_without => tracing::warn!(
                reason,
                "the revocation store is lost: serving with what is known, as the settings allow"
            ),
            FailureNotice::First => tracing::warn!(
                reason,
                grace = ?self.grace,
                "the revocation store is lost: after the grace there are no decisions"
            ),
            FailureNotice::Again(toll) => tracing::warn!(
                reason,
                failures = toll.failures,
                denied = toll.denied,
                "the revocation store is still away after {toll}",
            ),
            FailureNotice::Known => {
                tracing::debug!(reason, "the revocation store is still away");
            }
        }
    }

    /// Whether the store was heard from within the grace.
    pub(crate) fn in_step(&self) -> bool {
        match self.last_contact() {
            Some(ago) => ago <= self.grace,
            None => false,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.in_step() || self.serves_without
    }

    pub(crate) fn status(&self) -> StoreStatus {
        StoreStatus {
            in_step: self.in_step(),
            last_contact: self.last_contact(),
            read: self.read.load(Ordering::Relaxed),
            ignored: self.ignored.load(Ordering::Relaxed),
            last_failure: self.last_failure(),
        }
    }

    fn last_contact(&self) -> Option<Duration> {
        let heard = self.heard.load(Ordering::Acquire).checked_sub(1)?;
        let heard = Duration::from_millis(heard);
        Some(self.clock.elapsed().saturating_sub(heard))
    }

    fn last_failure(&self) -> Option<String> {
        self.failure().clone()
    }

    fn failure(&self) -> MutexGuard<'_, Option<String>> {
        // The text is replaced as a whole, so a panic elsewhere cannot leave half of it.
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the follower reports.
#[cfg(any(feature = "redis", test))]
impl Contact {
    /// Every entry of the store is known here at this moment.
    pub(crate) fn note_contact(&self) {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        // After the entries are in the list: a reader that sees the contact finds them too.
        self.heard.store(now + 1, Ordering::Release);
        self.failure().take();
        let is_first = !self.tried.send_replace(true);
        match self.log.succeed(self.clock.elapsed()) {
            Some(toll) => tracing::info!(
                failures = toll.failures,
                denied = toll.denied,
                "in step with the revocation store again after {toll}, requests answered 503: {}",
                toll.denied,
            ),
            None if is_first => tracing::info!("in step with the revocation store"),
            None => {}
        }
    }

    pub(crate) fn note_failure(&self, reason: &str) {
        self.failure().replace(reason.to_owned());
        // Requests that wait for the first load get the outage now, not after their patience.
        self.tried.send_replace(true);
        self.log_failure(self.log.fail(self.clock.elapsed()), reason);
    }

    #[cfg(feature = "redis")]
    pub(crate) fn count_entries(&self, read: u64, ignored: u64) {
        self.read.fetch_add(read, Ordering::Relaxed);
        self.ignored.fetch_add(ignored, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::token::NumericDate;
    use portcullis_provider::clock::TestClock;

    fn contact(serves_without: bool) -> (Arc<TestClock>, Contact) {
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(0)));
        let contact = Contact::new(
            Arc::<TestClock>::clone(&clock),
            Duration::from_secs(10),
            serves_without,
        );
        (clock, contact)
    }

    #[test]
    fn before_the_first_load_and_after_the_grace_nobody_can_tell() {
        let (clock, contact) = contact(false);
        let told = |contact: &Contact| contact.vouch().unwrap_err();
        assert!(
            told(&contact)
                .facts()
                .contains("not loaded yet: no answer"),
            "{}",
            told(&contact)
        );
        contact.note_failure("connection refused");
        assert!(told(&contact).facts().ends_with("connection refused"));
        contact.note_contact();
        assert_eq!(contact.vouch(), Ok(()));
        clock.advance(Duration::from_secs(10));
        contact.note_failure("reset");
        assert_eq!(contact.vouch(), Ok(()), "a short loss is no outage");
        clock.advance(Duration::from_millis(1));
        let outage = told(&contact);
        assert_eq!(outage.code(), OutageCode::Revocation);
        assert!(outage.facts().contains("for too long: reset") && !contact.is_ready());
        contact.note_contact();
        assert_eq!(
            (contact.vouch(), contact.status().last_failure),
            (Ok(()), None)
        );
    }

    #[test]
    fn in_danger_mode_it_goes_on_and_says_that_it_is_out_of_step() {
        let (clock, contact) = contact(true);
        assert!(contact.vouch().is_ok() && contact.is_ready() && !contact.in_step());
        contact.note_contact();
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(contact.vouch(), Ok(()));
        let status = contact.status();
        assert_eq!(
            (status.in_step, status.last_contact),
            (false, Some(Duration::from_secs(3_600)))
        );
    }

    #[tokio::test]
    async fn an_early_request_waits_for_the_first_attempt_and_no_longer() {
        let (clock, contact) = contact(false);
        let waited = async {
            tokio::join!(contact.first_attempt(), async {
                contact.note_failure("refused");
            });
            contact.first_attempt().await;
        };
        tokio::time::timeout(Duration::from_secs(30), waited)
            .await
            .unwrap();
        let (clock_of_silence, silent) = (clock, self::contact(false));
        drop(clock_of_silence);
        let waited = async {
            tokio::join!(silent.1.first_attempt(), async {
                silent.0.advance(PATIENCE);
            })
        };
        tokio::time::timeout(Duration::from_secs(30), waited)
            .await
            .unwrap();
    }
}
