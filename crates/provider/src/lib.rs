//! What an issuer publishes, and how it is asked, within bounds.
//!
//! Everything that leaves for an identity provider leaves through [`fetch`]: https except on
//! loopback, no redirects, the environment's proxy for outside hosts, answers bounded in size and
//! time, inside addresses only where the operator wrote them. Three things build on it: the reading
//! of [`metadata`], the [`keys`] of an issuer, kept fresh, and the ways in which a client proves
//! itself ([`client_auth`]). A transmitter of security events is asked by [`shared_signals`].
//!
//! The resource server and the client are built on this crate; an application needs one of them,
//! not this one. No HTTP client shows in a signature, and nothing here reads settings.

pub mod address;
pub mod answer_cache;
pub mod breaker;
pub mod client_auth;
pub mod clock;
pub mod egress;
pub mod failure_log;
pub mod fetch;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod inspect;
pub mod issuer_keys;
pub mod keys;
mod member;
pub mod metadata;
pub mod metric;
pub mod resource_metadata;
pub mod shared_signals;
