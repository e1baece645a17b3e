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

    pub(crate) fn streams(&self) -> &[EventStream] {
        &self.streams
    }

    pub(crate) fn remove_stream(&mut self, id: &str, client: &str) -> bool {
        let before = self.streams.len();
        self.streams
            .retain(|stream| stream.id != id || stream.client != client);
        self.streams.len() < before
    }
}
