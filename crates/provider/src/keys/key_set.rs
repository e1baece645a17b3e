//! A set of keys that is in force.

use portcullis_core::jose::Jwks;
use std::time::Duration;
use url::Url;

/// The keys of an issuer, as last published.
#[derive(Clone, Debug)]
pub struct KeySet {
    /// The keys.
    pub jwks: Jwks,
    /// The moment, on the monotonic clock, from which on they are too old to be used.
    pub good_until: Duration,
    /// The tag under which the issuer knows the document, and the address that gave it.
    pub etag: Option<(Url, String)>,
}

impl KeySet {
    /// Whether this very key is published.
    pub fn holds(&self, fingerprint: &[u8; 32]) -> bool {
        self.jwks.holds(fingerprint)
    }

    /// Whether both sets hold the same keys.
    pub(super) fn same_keys(&self, other: &Jwks) -> bool {
        let keys = self.jwks.keys();
        keys.len() == other.keys().len() && keys.iter().all(|key| other.holds(key.fingerprint()))
    }
}
