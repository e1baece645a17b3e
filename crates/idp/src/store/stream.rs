//! Streams of security events: who gets which, how, and what waits to be fetched.

use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};

/// How many streams there may be, and how many events may wait in one.
pub(crate) const MOST_STREAMS: usize = 100;

const MOST_EVENTS: usize = 1_000;

#[derive(Clone)]
pub(crate) struct EventStream {
    pub(crate) id: String,
    /// The client whose it is: the audience of its events.
    pub(crate) client: String,
    /// The types of event that are wanted; all where none is named.
    pub(crate) requested: Vec<String>,
    pub(crate) delivery: Delivery,
    pub(crate) status: StreamStatus,
    pub(crate) reason: Option<String>,
    pub(crate) description: Option<String>,
    /// The subjects of whom nothing is wanted.
    pub(crate) removed: Vec<Value>,
    /// When its client was last heard of, and when it last asked for a verification event.
    pub(crate) used_at: u64,
    pub(crate) verified_at: Option<u64>,
    /// Wakes those who wait for an event.
    pub(crate) arrivals: Arc<Notify>,
    /// One pushes at a time, so that events arrive once and in their order.
    pub(crate) pushing: Arc<Mutex<()>>,
    waiting: VecDeque<WaitingEvent>,
}

/// An event that was not taken yet.
#[derive(Clone)]
pub(crate) struct WaitingEvent {
    pub(crate) jti: String,
    pub(crate) set: String,
    /// Whether it tells of the stream's own status: it goes out even after the stream stopped.
    pub(crate) is_about_status: bool,
}

#[derive(Clone)]
pub(crate) enum Delivery {
    /// RFC 8935: posted to this address, with that header.
    Push {
        url: String,
        authorization: Option<String>,
    },
    /// RFC 8936: fetched.
    Poll,
}

/// Whether a stream carries events (SSF 1.0, section 8.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamStatus {
    /// `enabled`: events are sent.
    Enabled,
    /// `paused`: events wait.
    Paused,
    /// `disabled`: events are dropped.
    Disabled,
}

impl StreamStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Paused, Self::Disabled];

    /// The word in requests and in events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl fmt::Display for StreamStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl EventStream {
    pub(crate) fn new(id: String, client: String, now: u64) -> Self {
        Self {
            id,
            client,
            requested: Vec::new(),
            delivery: Delivery::Poll,
            status: StreamStatus::Enabled,
            reason: None,
            description: None,
            removed: Vec::new(),
            used_at: now,
            verified_at: None,
            arrivals: Arc::default(),
            pushing: Arc::default(),
            waiting: VecDeque::new(),
        }
    }

    /// Whether events of that type about that subject belong into it.
    pub(crate) fn wants(&self, event: &str, subject: &Value) -> bool {
        let named =
            self.requested.is_empty() || self.requested.iter().any(|wanted| wanted == event);
        // Compared as written: a subject in another format would not match.
        named && !self.removed.contains(subject)
    }

    /// Puts an event at the end; the oldest makes room.
    pub(crate) fn wait(&mut self, event: WaitingEvent) {
        // A receiver that never fetches must not fill the memory.
        if self.waiting.len() >= MOST_EVENTS {
            self.waiting.pop_front();
        }
        // A receiver hears that its stream goes on before it hears what happened meanwhile.
        if event.is_about_status {
            self.waiting.push_front(event);
        } else {
            self.waiting.push_back(event);
        }
        self.arrivals.notify_waiters();
    }

    pub(crate) fn set_status(&mut self, status: StreamStatus, reason: Option<String>) {
        (self.status, self.reason) = (status, reason);
        if status == StreamStatus::Disabled {
            // Such a stream holds nothing for later (SSF 1.0, section 8.1.2.1).
            self.waiting.retain(|event| event.is_about_status);
        }
        self.arrivals.notify_waiters();
    }

    /// The oldest events that may go out now, so many, without taking them out.
    pub(crate) fn oldest(&self, most: usize) -> Vec<WaitingEvent> {
        self.ready().take(most).cloned().collect()
    }

    fn ready(&self) -> impl Iterator<Item = &WaitingEvent> {
        self.waiting
            .iter()
            .filter(|event| self.status == StreamStatus::Enabled || event.is_about_status)
    }

    /// Takes out those that arrived.
    pub(crate) fn acknowledge(&mut self, arrived: &[String]) {
        self.waiting
            .retain(|event| !arrived.contains(&event.jti));
    }

    /// How many events may go out now.
    pub(crate) fn ready_count(&self) -> usize {
        self.ready().count()
    }

    /// How many events wait, for whatever reason.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
