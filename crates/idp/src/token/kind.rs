//! The kinds of token, and the formats of access tokens.

use serde::Deserialize;

/// What an access token looks like to whoever is not its issuer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// Signed claims (RFC 7519).
    Jwt,
    /// A text that says nothing; introspection tells what it stands for.
    Opaque,
}

/// Which token is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Id,
}
