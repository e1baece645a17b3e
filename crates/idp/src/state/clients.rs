//! The known clients: from the settings, and those that registered themselves.

use crate::config::client::RegisteredClient;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The clients of the settings, and those that registered themselves.
pub(crate) struct ClientRegistry {
    known: RwLock<BTreeMap<String, Arc<RegisteredClient>>>,
    /// Whether any other name is a client that passes every check.
    any: bool,
}

impl ClientRegistry {
    pub(crate) fn new(configured: &[RegisteredClient], any: bool) -> Self {
        let mut known = BTreeMap::new();
        for client in configured {
            known.insert(client.id.clone(), Arc::new(client.clone()));
        }
        Self {
            known: RwLock::new(known),
            any,
        }
    }

    /// A known client.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    /// A known client, or one made up for its name where any name will do.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        let known = self.get(id);
        if known.is_some() || !self.any || id.is_empty() {
            return known;
        }
        Some(Arc::new(RegisteredClient {
            id: id.to_owned(),
            // Made anew for each request, and never stored.
            danger_unchecked: true,
            ..RegisteredClient::default()
        }))
    }

    /// Adds a client, or replaces the one of the same name.
    pub(crate) fn add(&self, client: RegisteredClient) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(client.id.clone(), Arc::new(client));
    }

    /// Removes a client.
    pub(crate) fn remove(&self, id: &str) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// All known clients, sorted by name.
    pub(crate) fn all(&self) -> Vec<Arc<RegisteredClient>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }
}
