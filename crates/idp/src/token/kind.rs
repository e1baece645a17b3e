//! The kinds of token, and the formats of access tokens.

use serde::Deserialize;

/// The format of access tokens.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// Signed claims (RFC 7519).
    Jwt,
    /// A random text; introspection returns its claims.
    Opaque,
}

/// A kind of token that flows issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowToken {
    /// Access tokens.
    Access,
    /// ID tokens (OpenID Connect Core, section 2).
    Id,
}
