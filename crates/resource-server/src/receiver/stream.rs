//! One stream of security events: its settings, its transmitter's keys, and how it fares.

use super::poll::Poller;
use super::report::{EventOutcome, EventReport};
use super::stream_settings::StreamSettings;
use portcullis_core::event::{EventType, SecurityEvent, SecurityEventToken};
use portcullis_core::jose::json::Json;
use portcullis_core::rejection::quote;
use portcullis_core::token::NumericDate;
use portcullis_provider::keys::KeyCache;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

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
            token_id: Some(quote(token.token_id())),
            facts: None,
        }
    }

    pub(crate) fn note_event(&self, now: NumericDate) {
        self.last_event.store(now.seconds(), Ordering::Relaxed);
    }

    /// SSF 1.0, section 8.1.5: the transmitter changed the status by itself.
    pub(crate) fn update(&self, event: &SecurityEvent) {
        let status = event.member("status").and_then(Json::as_str);
        // Another word, of a later edition perhaps, is no promise that events come.
        let is_enabled = status == Some("enabled");
        self.is_paused.store(!is_enabled, Ordering::Relaxed);
        if is_enabled {
            tracing::info!(stream = self.settings.name, "the stream is enabled again");
            return;
        }
        // What the transmitter gives as its reason may be anything.
        let status = quote(status.unwrap_or("unknown"));
        let stream = &self.settings.name;
        tracing::warn!(stream, status, "the transmitter sends no events for now");
    }
}
