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
    /// The issuer's `ETag` of the document, and the address that gave it.
    pub etag: Option<(Url, String)>,
}

impl KeySet {
    /// The `ETag` for a request to this address. One of another address means nothing there.
    pub(super) fn etag_at(&self, url: &Url) -> Option<&str> {
        match &self.etag {
            Some((from, etag)) if from == url => Some(etag),
            _ => None,
        }
    }

    /// Whether this very key is published.
    pub fn holds(&self, fingerprint: &[u8; 32]) -> bool {
        self.jwks.holds(fingerprint)
    }

    /// Whether both sets hold the same keys.
    pub(super) fn same_keys(&self, other: &Jwks) -> bool {
        // By fingerprint, not by `kid`: a provider may reuse a name for a new key.
        let keys = self.jwks.keys();
        keys.len() == other.keys().len() && keys.iter().all(|key| other.holds(key.fingerprint()))
    }
}
