//! The doors: how requests come in, and how answers go out. The decision between is the same for
//! all.

mod cors;
pub(crate) mod embedded;
mod exchange;
pub(crate) mod explain;
pub(crate) mod ext_authz;
mod external_auth;
pub(crate) mod forward_auth;
mod frames;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod interface;
pub(crate) mod proxy;
mod published;
pub(crate) mod receivers;
pub(crate) mod redirect;
mod request_error;
mod stream_end;
pub(crate) mod websocket;
