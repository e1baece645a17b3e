//! The known clients: from the settings, added by hand, and those that registered themselves.

use crate::config::client::RegisteredClient;
use crate::state::origin::Origin;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

type ClientMap = BTreeMap<String, (Arc<RegisteredClient>, Origin)>;

/// The clients of the settings, those added by hand, and those that registered themselves.
pub(crate) struct ClientRegistry {
    known: RwLock<ClientMap>,
    /// Whether any other name is a client that passes every check.
    any: bool,
}

impl ClientRegistry {
    pub(crate) fn new(configured: &[RegisteredClient], any: bool) -> Self {
        let mut known = BTreeMap::new();
        for client in configured {
            let value = (Arc::new(client.clone()), Origin::Settings);
            known.insert(client.id.clone(), value);
        }
        Self {
            known: RwLock::new(known),
            any,
        }
    }

    /// A known client.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.read()
            .get(id)
            .map(|(client, _)| Arc::clone(client))
    }

    /// A known client, or one made up for its name where any name will do.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        let known = self.get(id);
        if known.is_some() || !self.any || id.is_empty() {
            return known;
        }
        Some(Arc::new(RegisteredClient {
            id: id.to_owned(),
            // Built for each request, and never stored.
            danger_unchecked: true,
            ..RegisteredClient::default()
        }))
    }

    /// Adds a client, or replaces the one of the same name.
    pub(crate) fn add(&self, client: RegisteredClient, origin: Origin) {
        let id = client.id.clone();
        self.write().insert(id, (Arc::new(client), origin));
    }

    /// Removes a client.
    pub(crate) fn remove(&self, id: &str) {
        self.write().remove(id);
    }

    /// All known clients, sorted by name.
    pub(crate) fn all(&self) -> Vec<Arc<RegisteredClient>> {
        let known = self.read();
        known
            .values()
            .map(|(client, _)| Arc::clone(client))
            .collect()
    }

    /// All known clients with their origins, sorted by name.
    pub(crate) fn with_origins(&self) -> Vec<(Arc<RegisteredClient>, Origin)> {
        self.read().values().cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, ClientMap> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, ClientMap> {
        // As for reading: no write leaves the map half done.
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
