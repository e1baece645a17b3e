//! The registrations of clients that registered themselves.

use crate::store::Store;
use crate::store::registration::Registration;

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
