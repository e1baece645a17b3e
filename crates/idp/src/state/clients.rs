//! The known clients: from the settings, and those that registered themselves.

use crate::config::client::Client;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The clients that are known: those of the settings, and those that registered themselves.
pub(crate) struct Clients {
    known: RwLock<BTreeMap<String, Arc<Client>>>,
    /// Whether one that is unknown is believed everything.
    any: bool,
}

impl Clients {
    pub(crate) fn new(configured: &[Client], any: bool) -> Self {
        let known = configured
            .iter()
            .map(|client| (client.id.clone(), Arc::new(client.clone())));
        Self {
            known: RwLock::new(known.collect()),
            any,
        }
    }

    /// One that is on the list.
    pub(crate) fn configured(&self, id: &str) -> Option<Arc<Client>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    /// One that is on the list, or that is believed to be one.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Client>> {
        let believed = || Client {
            id: id.to_owned(),
            danger_unchecked: true,
            ..Client::default()
        };
        self.configured(id)
            .or_else(|| (self.any && !id.is_empty()).then(|| Arc::new(believed())))
    }

    /// Puts one on the list, in the place of one of the same name.
    pub(crate) fn add(&self, client: Client) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(client.id.clone(), Arc::new(client));
    }

    /// Takes one off the list.
    pub(crate) fn remove(&self, id: &str) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Client>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }
}
