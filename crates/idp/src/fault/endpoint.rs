//! The endpoints that can fail on command.

use portcullis_core::ConfigError;
use std::fmt;
use std::str::FromStr;

/// The endpoints that can be made to fail, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// `metadata`: the metadata, of OAuth and of OpenID Connect.
    Metadata,
    /// `jwks`: the key set.
    Jwks,
    /// `authorize`: the page on which users sign in.
    Authorize,
    /// `token`: the token endpoint.
    Token,
    /// `userinfo`: UserInfo.
    UserInfo,
    /// `introspection`: introspection, and Google's `tokeninfo`.
    Introspection,
    /// `revocation`: revocation.
    Revocation,
    /// `par`: pushed authorization requests.
    PushedRequests,
    /// `device`: the device authorization endpoint.
    DeviceAuthorization,
    /// `graph`: the imitation of Microsoft Graph.
    Graph,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 10] = [
        Self::Metadata,
        Self::Jwks,
        Self::Authorize,
        Self::Token,
        Self::UserInfo,
        Self::Introspection,
        Self::Revocation,
        Self::PushedRequests,
        Self::DeviceAuthorization,
        Self::Graph,
    ];

    /// The name in requests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Jwks => "jwks",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::UserInfo => "userinfo",
            Self::Introspection => "introspection",
            Self::Revocation => "revocation",
            Self::PushedRequests => "par",
            Self::DeviceAuthorization => "device",
            Self::Graph => "graph",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Endpoint {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.name() == name)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                ConfigError::expected("endpoint", "an endpoint that can fail")
                    .found(name)
                    .help(format!("write one of {names}"))
            })
    }
}
