//! A stream is looked after at its transmitter: its configuration and its status are read, and
//! verification events are asked for (SSF 1.0, section 8.1).
//!
//! Without that, a stream that was paused, changed or deleted looks like one where nothing happens.

use super::access::StreamAccess;
use super::stream_settings::StreamSettings;
use super::watch_settings::WatchSettings;
use portcullis_provider::egress::Egress;
use portcullis_provider::failure_log::{FailureLog, FailureNotice};
use portcullis_provider::keys::KeySource;
use portcullis_provider::shared_signals::{
    StreamConfiguration, StreamState, StreamStatus, Transmitter, TransmitterEndpoint,
    TransmitterFault, TransmitterFaultKind, TransmitterSource,
};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the transmitter is asked.
pub(crate) const LOOK: Duration = Duration::from_secs(600);

/// How often it is looked whether a verification event came.
const ANSWER_LOOK: Duration = Duration::from_secs(30);

/// How long a verification event may take until it counts as lost.
const ANSWER_TIME: Duration = Duration::from_secs(600);

/// How a stream is looked after, and what is known of it.
pub(crate) struct Watcher {
    settings: WatchSettings,
    /// What tells this replica from the others.
    pub(crate) owner: String,
    pub(crate) egress: Egress,
    access: StreamAccess,
    log: FailureLog,
    has_begun: AtomicBool,
    state: Mutex<WatchState>,
}

#[derive(Default)]
struct WatchState {
    /// When a verification event was asked for.
    asked: Option<Duration>,
    /// The state of the one that has not come yet.
    awaited: Option<String>,
    /// Whether the last one did not come in time.
    is_unanswered: bool,
    /// What is not as the settings say, as it was told last.
    told: Vec<String>,
}

/// What became of a verification that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Came,
    Awaited,
    Lost,
}

/// A stream as its transmitter sees it.
pub(crate) struct StreamFindings {
    transmitter: Transmitter,
    pub(crate) configuration: StreamConfiguration,
    /// None where the transmitter has no endpoint for it.
    pub(crate) status: Option<StreamStatus>,
}

/// Why nothing could be found out.
pub(crate) struct WatchFault {
    pub(crate) reason: String,
    /// Whether the transmitter says that there is no such stream.
    pub(crate) is_gone: bool,
}

impl WatchFault {
    fn of(reason: String) -> Self {
        Self {
            reason,
            is_gone: false,
        }
    }
}

impl Watcher {
    pub(super) fn new(settings: &WatchSettings, egress: Egress, access: StreamAccess) -> Self {
        Self {
            settings: settings.clone(),
            owner: format!("{:016x}", RandomState::new().hash_one(0_u8)),
            egress,
            access,
            log: FailureLog::new(),
            has_begun: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Begins, once.
    pub(crate) fn begin(&self) -> bool {
        !self.has_begun.swap(true, Ordering::Relaxed)
    }

    /// Asks for the stream and its status.
    pub(crate) async fn look(&self, stream: &StreamSettings) -> Result<StreamFindings, WatchFault> {
        let transmitter = self.discover(stream).await?;
        let authorization = self.access.obtain().await.map_err(WatchFault::of)?;
        let streams = transmitter.manage(&authorization);
        let id = &self.settings.stream_id;
        // The metadata is read anew each time: endpoints may move, and ten minutes are no hurry.
        let found = async {
            let configuration = streams.read(id).await?;
            let endpoint = TransmitterEndpoint::Status;
            let status = match transmitter.metadata().endpoint(endpoint) {
                Some(_) => Some(streams.status(id).await?),
                None => None,
            };
            Ok((configuration, status))
        };
        match found.await {
            Ok((configuration, status)) => Ok(StreamFindings {
                transmitter: transmitter.clone(),
                configuration,
                status,
            }),
            Err(fault) => {
                self.access.forget(&fault, &authorization).await;
                Err(WatchFault {
                    reason: fault.to_string(),
                    is_gone: fault.kind == TransmitterFaultKind::NotFound,
                })
            }
        }
    }

    async fn discover(&self, stream: &StreamSettings) -> Result<Transmitter, WatchFault> {
        let source = match &stream.source {
            KeySource::Metadata(url) => TransmitterSource::At(url.clone()),
            _ => TransmitterSource::Discovered,
        };
        let issuer = stream.terms.transmitter.clone();
        let found = Transmitter::discover(issuer, &source, self.egress.clone()).await;
        // No metadata is no news about the stream.
        found.map_err(|fault| WatchFault::of(fault.to_string()))
    }

    /// Asks for a verification event.
    pub(crate) async fn ask(
        &self,
        found: &StreamFindings,
        state: &str,
    ) -> Result<(), TransmitterFault> {
        // It was there a moment ago; without it, the next look fails and says why.
        let Ok(authorization) = self.access.obtain().await else {
            return Ok(());
        };
        let streams = found.transmitter.manage(&authorization);
        let asked = streams.verify(&self.settings.stream_id, state).await;
        if let Err(fault) = &asked {
            self.access.forget(fault, &authorization).await;
        }
        asked
    }

    /// How often a verification event is asked for: before the stream counts as unused, and not
    /// more often than its transmitter allows.
    pub(crate) fn interval(&self, configuration: &StreamConfiguration) -> Duration {
        let mut interval = self.settings.verify_every;
        if let Some(timeout) = configuration.inactivity_timeout {
            // Half is left for another replica, if this one ends.
            interval = interval.min(timeout / 2);
        }
        let least = configuration.min_verification_interval;
        interval.max(least.unwrap_or_default())
    }

    /// Whether a verification event is to be asked for.
    pub(crate) fn is_due(&self, interval: Duration) -> bool {
        let now = self.egress.clock.elapsed();
        let state = self.state();
        // While one is awaited, another would make it unclear which of them came.
        state.awaited.is_none()
            && state
                .asked
                .is_none_or(|asked| now.saturating_sub(asked) >= interval)
    }

    /// One was asked for: with this state, or by somebody else.
    pub(crate) fn note_asked(&self, state: Option<String>) {
        let now = self.egress.clock.elapsed();
        let mut slot = self.state();
        slot.asked = Some(now);
        slot.awaited = state;
    }

    /// The state of the verification event that has not come yet.
    pub(crate) fn find_awaited(&self) -> Option<String> {
        self.state().awaited.clone()
    }

    /// What became of the one that is awaited. It has until the next one at most.
    pub(crate) fn note_answer(&self, has_come: bool, interval: Duration) -> Answer {
        let now = self.egress.clock.elapsed();
        let mut state = self.state();
        let asked = state.asked.unwrap_or_default();
        if !has_come && now.saturating_sub(asked) < ANSWER_TIME.min(interval) {
            return Answer::Awaited;
        }
        state.awaited = None;
        state.is_unanswered = !has_come;
        match has_come {
            true => Answer::Came,
            false => Answer::Lost,
        }
    }

    /// Whether the last verification event that was asked for did not come.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.state().is_unanswered
    }

    /// The pause until the next look. Whatever the transmitter says, it is not a loop.
    pub(crate) fn pause(&self, interval: Duration) -> Duration {
        let now = self.egress.clock.elapsed();
        let state = self.state();
        let passed = now.saturating_sub(state.asked.unwrap_or(now));
        match state.awaited {
            Some(_) => ANSWER_LOOK,
            None => interval
                .saturating_sub(passed)
                .clamp(ANSWER_LOOK, LOOK),
        }
    }

    /// Tells what is not as the settings say, once.
    pub(crate) fn tell(&self, stream: &str, deviations: Vec<String>) {
        let mut state = self.state();
        for deviation in &deviations {
            if !state.told.contains(deviation) {
                tracing::warn!(
                    stream,
                    reason = deviation,
                    "the stream is not as the settings"
                );
            }
        }
        state.told = deviations;
    }

    pub(crate) fn note_failure(&self, stream: &str, reason: &str) {
        match self.log.fail(self.egress.clock.elapsed()) {
            FailureNotice::First => {
                tracing::warn!(stream, reason, "the stream cannot be looked after");
            }
            FailureNotice::Again(toll) => {
                let failures = toll.failures;
                tracing::warn!(
                    stream,
                    reason,
                    failures,
                    "the stream still cannot be looked after"
                );
            }
            FailureNotice::Known => {
                tracing::debug!(stream, reason, "the stream cannot be looked after");
            }
        }
    }

    pub(crate) fn note_success(&self, stream: &str) {
        if let Some(toll) = self.log.succeed(self.egress.clock.elapsed()) {
            let failures = toll.failures;
            tracing::info!(stream, failures, "the stream is looked after again");
        }
    }

    fn state(&self) -> MutexGuard<'_, WatchState> {
        // Nothing that runs under the lock can panic halfway.
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl StreamFindings {
    /// Whether events come, and the word for it.
    pub(crate) fn status(&self) -> Option<(bool, StreamState)> {
        let state = self.status.as_ref()?.state;
        Some((state == StreamState::Enabled, state))
    }
}
