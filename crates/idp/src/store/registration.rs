//! Clients that registered themselves: how each shows that it may change what is registered.

use crate::store::Store;

#[derive(Clone)]
pub(crate) struct Registration {
    /// The registration access token (RFC 7592, section 3).
    pub(crate) token: String,
    /// The client's secret, for one that authenticates by a secret.
    pub(crate) secret: String,
    /// When it registered.
    pub(crate) at: u64,
}

impl Store {
    pub(crate) fn register(&mut self, client: &str, registration: Registration) {
        self.registered.insert(client.to_owned(), registration);
    }

    pub(crate) fn unregister(&mut self, client: &str) {
        self.registered.remove(client);
    }

    pub(crate) fn registration(&self, client: &str) -> Option<Registration> {
        self.registered.get(client).cloned()
    }

    pub(crate) fn registrations(&self) -> usize {
        self.registered.len()
    }
}
