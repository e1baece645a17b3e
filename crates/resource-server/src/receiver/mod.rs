//! Ends that arrive: receivers of logouts (OpenID Connect Back-Channel Logout 1.0) and of security
//! events (Shared Signals Framework 1.0; CAEP and RISC).
//!
//! What is received becomes a revocation, so that the next request of such a token is refused, at
//! every replica that shares the store. A sender hears "taken" only after that is written; what
//! cannot be written is an outage, and the sender has to send it again.
//!
//! Not checked: whether the person who signs in at the provider is the one whom tokens name
//! otherwise; the settings say which issuers' tokens an event ends.

mod access;
mod deviation;
mod effect;
mod ending;
#[cfg(feature = "redis")]
mod expected;
mod logout_settings;
mod meters;
mod outline;
mod poll;
mod poll_settings;
mod report;
mod seen;
mod stream;
mod stream_settings;
mod target;
#[cfg(test)]
mod tests;
mod watch;
mod watch_settings;

pub use effect::EventEffect;
pub(crate) use ending::{END_SUBJECT, has_session, matching_claims};
#[cfg(feature = "redis")]
pub use expected::ExpectedVerification;
pub(crate) use logout_settings::{LogoutSettings, logout};
pub use outline::ReceiverOutline;
pub(crate) use poll::Backlog;
pub use report::{EventOutcome, EventReport};
pub(crate) use report::{Reception, ReceptionFault, plain_id};
pub(crate) use seen::{answer_id, event_id, expectation_id, state_id};
pub(crate) use stream_settings::{StreamSettings, streams};
pub(crate) use target::revocations;

use crate::events;
use crate::issuers::TrustedIssuers;
use crate::settings::Settings;
use access::{AccessSettings, StreamAccess};
use meters::ReceiverMeters;
use poll::Poller;
use portcullis_core::Limits;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_provider::clock::Clock;
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::Fetch;
use portcullis_provider::keys::meters::KeyMeters;
use portcullis_provider::keys::{KeyCache, KeySettings};
use seen::SeenEvents;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
pub(crate) use stream::EventStream;
pub(crate) use watch::{Answer, LOOK, StreamFindings, WatchFault, Watcher};

/// The name of the receiver of logouts.
pub(crate) const LOGOUT: &str = "logout";

/// The receivers of one server.
pub(crate) struct Receivers {
    /// Whether any issuer tells of logouts.
    pub(crate) takes_logouts: bool,
    streams: Vec<Arc<EventStream>>,
    pub(crate) seen: SeenEvents,
    pub(crate) meters: ReceiverMeters,
}

impl Receivers {
    pub(crate) fn new(
        settings: &Settings,
        issuers: &TrustedIssuers,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        warn_of_danger(settings);
        let mut streams = Vec::new();
        for stream in &settings.streams {
            let stream = EventStream::new(stream.clone(), settings.limits, issuers, clock);
            streams.push(Arc::new(stream));
        }
        let names = streams
            .iter()
            .map(|stream| stream.settings.name.as_str());
        // Registered at once: a counter that begins with its first event hides that there was none.
        let meters = ReceiverMeters::new(names.chain([LOGOUT]));
        let seen = SeenEvents::new();
        #[cfg(feature = "redis")]
        let seen = seen.shared_by(settings.revocation.store_url(), clock);
        Self {
            takes_logouts: settings.issuers.iter().any(|it| it.logout.is_some()),
            streams,
            seen,
            meters,
        }
    }

    /// Begins to fetch the transmitters' keys, so that the first event finds them.
    pub(crate) fn start(&self) {
        for stream in &self.streams {
            stream.keys.start();
        }
    }

    /// Whether there is anything to receive.
    pub(crate) fn is_any(&self) -> bool {
        self.takes_logouts || !self.streams.is_empty()
    }

    /// Whether a stream ends tokens of this issuer.
    pub(crate) fn end_tokens_of(&self, issuer: &Issuer) -> bool {
        let mut streams = self.streams.iter();
        streams.any(|stream| stream.settings.tokens_of.all.contains(issuer))
    }

    pub(crate) fn stream(&self, name: &str) -> Option<&EventStream> {
        let mut streams = self.streams.iter();
        let found = streams.find(|stream| stream.name() == name);
        found.map(AsRef::as_ref)
    }

    /// The streams whose events are fetched.
    pub(crate) fn find_polled(&self) -> impl Iterator<Item = &Arc<EventStream>> {
        self.streams
            .iter()
            .filter(|stream| stream.poller.is_some())
    }

    /// The streams that are looked after, once.
    pub(crate) fn find_watched(&self) -> impl Iterator<Item = &Arc<EventStream>> {
        self.streams
            .iter()
            .filter(|stream| stream.watcher.is_some())
    }

    /// Whether this replica may fetch the events of a stream now: always where none shares its
    /// store.
    pub(crate) async fn take_turn(&self, stream: &str, owner: &str, seconds: u64) -> bool {
        self.seen.take_turn(stream, owner, seconds).await
    }

    /// Records how old the last event of each stream is.
    pub(crate) fn record(&self, recorder: &dyn metrics::Recorder, now: NumericDate) {
        for stream in &self.streams {
            let labels = [stream.settings.name.as_str()];
            let last = stream.last_event.load(Ordering::Relaxed);
            events::EVENT_LAST.set(recorder, &labels, last as f64);
            // What the transmitter said last; a start does not ask it.
            let is_paused = stream.is_paused.load(Ordering::Relaxed);
            let is_enabled = f64::from(u8::from(!is_paused));
            events::EVENT_STREAM_ENABLED.set(recorder, &labels, is_enabled);
            if let Some(watcher) = &stream.watcher {
                let is_verified = f64::from(u8::from(!watcher.is_unanswered()));
                events::EVENT_STREAM_VERIFIED.set(recorder, &labels, is_verified);
            }
            if let Some(silent_after) = stream.settings.silent_after {
                let age = now.since(NumericDate::from_seconds(last));
                let is_silent = age > i64::try_from(silent_after.as_secs()).unwrap_or(i64::MAX);
                let is_silent = f64::from(u8::from(is_silent));
                events::EVENT_STREAM_SILENT.set(recorder, &labels, is_silent);
            }
        }
    }
}

impl EventStream {
    fn new(
        settings: StreamSettings,
        limits: Limits,
        issuers: &TrustedIssuers,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let egress = Egress {
            fetch: Fetch::new(limits.document_bytes).with_trust(&settings.trust),
            limits,
            clock: Arc::clone(clock),
        };
        let transmitter = settings.terms.transmitter.clone();
        let meters = KeyMeters::new(transmitter.as_str());
        let source = settings.source.clone();
        let access = |access: &AccessSettings| {
            let egress = access.egress(&egress, &settings.trust);
            let access = StreamAccess::new(access, &transmitter, &source, &egress, issuers);
            (egress, access)
        };
        let poller = settings.poll.as_ref().map(|poll| {
            let (egress, access) = access(&poll.access);
            Poller::new(poll.url.clone(), egress, access)
        });
        let watcher = settings.watch.as_ref().map(|watch| {
            let (egress, access) = access(&watch.access);
            Watcher::new(watch, egress, access)
        });
        Self {
            keys: KeyCache::new(transmitter, source, KeySettings::default(), egress, meters),
            last_event: AtomicI64::new(clock.now().seconds()),
            is_paused: AtomicBool::new(false),
            has_begun: AtomicBool::new(false),
            poller,
            watcher,
            settings,
        }
    }
}

fn warn_of_danger(settings: &Settings) {
    for issuer in &settings.issuers {
        let name = issuer.verifier.issuer().as_str();
        let Some(logout) = &issuer.logout else {
            continue;
        };
        if logout.accepts_untyped {
            tracing::warn!(
                issuer = name,
                "logout.danger_untyped: logout tokens need not say that they are some"
            );
        }
        if logout.accepts_endless {
            tracing::warn!(
                issuer = name,
                "logout.danger_without_exp: logout tokens are good for an hour"
            );
        }
    }
    for stream in &settings.streams {
        if stream.trust.allows_plain_http() {
            tracing::warn!(
                stream = stream.name,
                "events.danger_plain_http: whoever controls the network to the transmitter can \
                 choose its keys"
            );
        }
    }
}
