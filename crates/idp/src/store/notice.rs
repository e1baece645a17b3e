//! What became of the events that were sent, for tests and for the console.

use std::collections::VecDeque;

/// How many are remembered.
const MOST: usize = 200;

/// What became of an event in one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventNotice {
    /// The stream.
    pub stream: String,
    /// The client whose stream it is.
    pub client: String,
    /// The address of the event's type.
    pub event: String,
    /// The user that it is about; none where it is about the stream.
    pub user: Option<String>,
    /// When it was sent, in seconds since 1970.
    pub at: u64,
    /// The event's `jti`.
    pub jti: String,
    /// What the receiver answered at last; none where it fetches by itself, or where nothing came.
    pub status: Option<u16>,
    /// Whether it waits: to be fetched, or for a stream that is paused or does not answer.
    pub waits: bool,
    /// Why the receiver refused it (RFC 8935, section 2.4, and RFC 8936, section 2.6).
    pub error: Option<EventError>,
}

/// Why a receiver refused an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventError {
    /// `err`, such as `invalid_issuer`; empty where the receiver gave none.
    pub err: String,
    /// `description`, for people.
    pub description: String,
}

/// The latest events, the newest first.
#[derive(Default)]
pub(crate) struct Notices(VecDeque<EventNotice>);

impl Notices {
    pub(crate) fn add(&mut self, notice: EventNotice) {
        self.0.push_front(notice);
        self.0.truncate(MOST);
    }

    /// Changes the notice about that event in that stream.
    pub(crate) fn settle(
        &mut self,
        stream: &str,
        jti: &str,
        change: impl FnOnce(&mut EventNotice),
    ) {
        let of_event = |it: &&mut EventNotice| it.jti == jti && it.stream == stream;
        if let Some(notice) = self.0.iter_mut().find(of_event) {
            change(notice);
        }
    }

    pub(crate) fn find(&self, stream: &str, jti: &str) -> Option<&EventNotice> {
        self.0
            .iter()
            .find(|it| it.jti == jti && it.stream == stream)
    }

    pub(crate) fn all(&self) -> Vec<EventNotice> {
        self.0.iter().cloned().collect()
    }
}
