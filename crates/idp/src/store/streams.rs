//! The streams of security events, by client.

use crate::store::Store;
use crate::store::stream::{EventStream, MOST_STREAMS};

impl Store {
    pub(crate) fn add_stream(&mut self, stream: EventStream) -> bool {
        // A bound for tests that forget to delete their streams.
        let room = self.streams.len() < MOST_STREAMS;
        if room {
            self.streams.push(stream);
        }
        room
    }

    /// The stream of that client.
    pub(crate) fn stream(&mut self, id: &str, client: &str) -> Option<&mut EventStream> {
        self.streams
            .iter_mut()
            // An id alone opens nothing: the stream of another client counts as unknown.
            .find(|stream| stream.id == id && stream.client == client)
    }

    /// The stream of that client, whose client was heard of now.
    pub(crate) fn used_stream(
        &mut self,
        id: &str,
        client: &str,
        now: u64,
    ) -> Option<&mut EventStream> {
        let stream = self.stream(id, client)?;
        stream.used_at = now;
        Some(stream)
    }

    /// The stream of that id, whoever's it is: for commands.
    pub(crate) fn any_stream(&mut self, id: &str) -> Option<&mut EventStream> {
        self.streams.iter_mut().find(|stream| stream.id == id)
    }

    pub(crate) fn streams(&self) -> &[EventStream] {
        &self.streams
    }

    pub(crate) fn remove_stream(&mut self, id: &str, client: &str) -> bool {
        let Some(stream) = self.stream(id, client) else {
            return false;
        };
        // Those who wait for events of it find that it is gone.
        stream.arrivals.notify_waiters();
        self.streams.retain(|stream| stream.id != id);
        true
    }
}
