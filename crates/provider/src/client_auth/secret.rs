//! A secret in memory: wiped when it is dropped, and never printed.

use std::fmt;
use zeroize::Zeroizing;

/// A client's secret, or a token. It cannot be printed, and its memory is wiped when it is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// The text of the secret: from here on, keeping it secret is up to the caller.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Shows nothing.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}
