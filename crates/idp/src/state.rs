//! The provider's state, shared by its endpoints.

use crate::config::{Client, IdpConfig, User};
use crate::faults::Switch;
use crate::keys::Keys;
use crate::store::Store;
use portcullis_core::token::Issuer;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The time, in seconds since 1970.
pub(crate) type Now = Box<dyn Fn() -> u64 + Send + Sync>;

pub(crate) struct State {
    pub(crate) issuer: Issuer,
    pub(crate) config: IdpConfig,
    pub(crate) keys: Keys,
    pub(crate) jwks: Switch,
    pub(crate) metadata: Switch,
    pub(crate) clock: Now,
    store: Mutex<Store>,
}

impl State {
    pub(crate) fn new(issuer: Issuer, config: IdpConfig, keys: Keys, clock: Now) -> Self {
        let (jwks, metadata, store) = (Switch::default(), Switch::default(), Mutex::default());
        Self { issuer, config, keys, jwks, metadata, clock, store }
    }

    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn user(&self, username: &str) -> Option<&User> {
        self.config.users.iter().find(|user| user.username == username)
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.config.clients.iter().find(|client| client.id == id)
    }

    /// The URL of an endpoint.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.as_str().trim_end_matches('/'))
    }
}

pub(crate) fn system_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
