//! One stream of security events: its settings, its transmitter's keys, and how it fares.

use super::poll::Poller;
use super::report::{EventOutcome, EventReport, plain_id};
use super::stream_settings::StreamSettings;
use super::watch::Watcher;
use portcullis_core::event::{EventType, SecurityEvent, SecurityEventToken};
use portcullis_core::jose::json::Json;
use portcullis_core::rejection::quote;
use portcullis_core::token::NumericDate;
use portcullis_provider::keys::KeyCache;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

const UNKNOWN_STREAM: &str =
    "compare `stream_id` with `portcullis events status`, or create the stream again";

/// A stream, its transmitter's keys, and how it fares.
pub(crate) struct EventStream {
    pub(crate) settings: StreamSettings,
    pub(crate) keys: Arc<KeyCache>,
    /// When the last event came, in seconds since 1970; the start, where none came.
    pub(super) last_event: AtomicI64,
    /// Whether the transmitter says that it sends nothing at this moment.
    pub(super) is_paused: AtomicBool,
    /// Whether fetching has begun.
    pub(super) has_begun: AtomicBool,
    /// How its events are fetched; `None` where they are pushed.
    pub(crate) poller: Option<Poller>,
    /// How it is looked after at the transmitter; `None` where the settings do not name it.
    pub(crate) watcher: Option<Watcher>,
}

impl EventStream {
    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Begins, once.
    pub(crate) fn begin(&self) -> bool {
        !self.has_begun.swap(true, Ordering::Relaxed)
    }

    /// A report about an event that ends nothing yet.
    pub(crate) fn report(&self, token: &SecurityEventToken, event: &SecurityEvent) -> EventReport {
        EventReport {
            receiver: self.settings.name.clone(),
            event: event.event_type().map_or("unknown", EventType::name),
            outcome: EventOutcome::Ignored,
            marks: Vec::new(),
            token_id: Some(plain_id(token.token_id())),
            facts: None,
        }
    }

    pub(crate) fn note_event(&self, now: NumericDate) {
        self.last_event.store(now.seconds(), Ordering::Relaxed);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }

    /// SSF 1.0, section 8.1.5: the transmitter changed the status by itself.
    pub(crate) fn update(&self, event: &SecurityEvent) {
        let text = |name| event.member(name).and_then(Json::as_str);
        let status = text("status");
        // Another word, of a later edition perhaps, is no promise that events come.
        self.set_enabled(
            status == Some("enabled"),
            status.unwrap_or("unknown"),
            text("reason"),
        );
    }

    /// The transmitter knows no stream of this id, so none of its events will come.
    pub(crate) fn set_unknown(&self) {
        if self.is_paused.swap(true, Ordering::Relaxed) {
            return;
        }
        let stream = &self.settings.name;
        tracing::warn!(
            stream,
            cure = UNKNOWN_STREAM,
            "the transmitter knows no such stream"
        );
    }

    /// Notes whether the transmitter sends events, and tells it where that changed.
    pub(crate) fn set_enabled(&self, is_enabled: bool, status: &str, reason: Option<&str>) {
        let was_paused = self.is_paused.swap(!is_enabled, Ordering::Relaxed);
        if was_paused != is_enabled {
            return;
        }
        let stream = &self.settings.name;
        if is_enabled {
            tracing::info!(stream, "the stream is enabled again");
            return;
        }
        // What the transmitter gives as its status and its reason may be anything.
        let (status, reason) = (quote(status), reason.map(quote));
        tracing::warn!(
            stream,
            status,
            reason,
            "the transmitter sends no events for now"
        );
    }
}
