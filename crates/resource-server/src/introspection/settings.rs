//! Introspection as meant: where to ask, as which client, about which tokens.

use portcullis_provider::client_auth::ClientAuth;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How an issuer is asked about tokens.
#[derive(Clone, Debug)]
pub(crate) struct IntrospectionSettings {
    /// None where the issuer's metadata says.
    pub(crate) endpoint: Option<Url>,
    pub(crate) client: Arc<ClientAuth>,
    /// Whether the answers must be signed.
    pub(crate) signed: bool,
    pub(crate) asked: AskedTokens,
    /// The longest time for which an answer is remembered.
    pub(crate) cap: Duration,
}

/// The tokens that an issuer is asked about.
#[derive(Clone, Debug)]
pub(crate) struct AskedTokens {
    /// What its opaque tokens begin with; it may be unknown for one issuer at most.
    pub(crate) prefix: Option<Box<str>>,
    /// Whether it is also asked about the tokens that it signs.
    pub(crate) jwts_too: bool,
}
