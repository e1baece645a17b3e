//! Streams of security events: who gets which, how, and what waits to be fetched.

use serde_json::Value;
use std::collections::VecDeque;

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
    /// Events that wait, each under its `jti`.
    waiting: VecDeque<(String, String)>,
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

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamStatus {
    Enabled,
    /// Events wait.
    Paused,
    /// Events are dropped.
    Disabled,
}

impl EventStream {
    pub(crate) fn new(id: String, client: String) -> Self {
        Self {
            id,
            client,
            requested: Vec::new(),
            delivery: Delivery::Poll,
            status: StreamStatus::Enabled,
            reason: None,
            description: None,
            removed: Vec::new(),
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
    pub(crate) fn wait(&mut self, jti: String, set: String) {
        self.waiting.push_back((jti, set));
        // A receiver that never fetches must not fill the memory.
        if self.waiting.len() > MOST_EVENTS {
            self.waiting.pop_front();
        }
    }

    /// The oldest events, so many, without taking them out.
    pub(crate) fn oldest(&self, most: usize) -> Vec<(String, String)> {
        self.waiting.iter().take(most).cloned().collect()
    }

    /// Takes out those that arrived.
    pub(crate) fn acknowledge(&mut self, arrived: &[String]) {
        self.waiting.retain(|(jti, _)| !arrived.contains(jti));
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
