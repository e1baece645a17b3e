//! The kinds of token, and the formats of access tokens.

use serde::Deserialize;

/// The format of access tokens.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// Signed claims (RFC 7519).
    Jwt,
    /// A random text; introspection returns its claims.
    Opaque,
}

/// A kind of token that the provider issues or sends by itself, and that can be spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlowToken {
    /// Access tokens.
    Access,
    /// ID tokens (OpenID Connect Core, section 2).
    Id,
    /// Logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.4).
    Logout,
    /// Security events (RFC 8417).
    Event,
}

impl FlowToken {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Access, Self::Id, Self::Logout, Self::Event];

    /// The name in the switches: `access_token`, `id_token`, `logout_token` or `event`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Id => "id_token",
            Self::Logout => "logout_token",
            Self::Event => "event",
        }
    }
}

/// The kinds of tokens that the console lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Id,
    Refresh,
    Code,
}

impl TokenKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Access => "Access token",
            Self::Id => "ID token",
            Self::Refresh => "Refresh token",
            Self::Code => "Code",
        }
    }
}
