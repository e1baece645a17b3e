//! The nonces that servers want in proofs: the latest of each origin (RFC 9449, sections 8 and 9).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// The latest nonce of each origin. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Nonces(Arc<Mutex<HashMap<String, String>>>);

/// The number of origins that are remembered. A lost nonce costs one more request.
const MOST: usize = 64;

impl Nonces {
    /// The latest nonce of the server at this address.
    pub(crate) fn of(&self, url: &Url) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&origin(url))
            .cloned()
    }

    /// Remembers a nonce.
    pub(crate) fn keep(&self, url: &Url, nonce: &str) {
        let origin = origin(url);
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Clearing all is crude but bounded, and no order has to be kept: a client rarely talks to
        // this many servers.
        if nonces.len() >= MOST && !nonces.contains_key(&origin) {
            nonces.clear();
        }
        nonces.insert(origin, nonce.to_owned());
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nonces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_origin_has_its_own_and_they_are_bounded() {
        let (nonces, url) = (Nonces::default(), |port: usize| {
            Url::parse(&format!("http://127.0.0.1:{port}/x")).unwrap()
        });
        nonces.keep(&url(1), "a");
        nonces.keep(&url(1), "b");
        assert_eq!(
            (nonces.of(&url(1)).as_deref(), nonces.of(&url(2))),
            (Some("b"), None)
        );
        (2..200).for_each(|port| nonces.keep(&url(port), "c"));
        assert!(nonces.0.lock().unwrap().len() <= MOST);
        assert_eq!(nonces.of(&url(199)).as_deref(), Some("c"));
    }
}
