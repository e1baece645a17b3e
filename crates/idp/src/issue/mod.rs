//! What leaves the provider signed: tokens, logout tokens, security events.

pub(crate) mod builder;
pub(crate) mod delivery;
pub(crate) mod draft;
pub(crate) mod event;
pub(crate) mod logout;
pub(crate) mod logout_token;
pub(crate) mod security_event;
pub(crate) mod signer;
pub(crate) mod stream_event;
pub(crate) mod subject;
pub(crate) mod wrong;
