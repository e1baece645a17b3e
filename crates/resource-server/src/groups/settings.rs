//! The lookup of groups as meant: where to ask, as which client, and how long an answer is good.

use portcullis_provider::client_auth::ClientAuth;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How the groups of callers are looked up.
#[derive(Clone, Debug)]
pub(crate) struct GroupsSettings {
    pub(crate) graph: Url,
    /// None where the issuer's metadata says.
    pub(crate) token_endpoint: Option<Box<str>>,
    pub(crate) client: Arc<ClientAuth>,
    pub(crate) lasting: Duration,
}
