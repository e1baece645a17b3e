//! Sign-in in a browser: the authorization code grant (RFC 6749, section 4.1), always with PKCE
//! (RFC 7636, S256) and `state`, with a nonce if an ID token is requested, and optionally with a
//! pushed request (RFC 9126).
//!
//! Refuses: a provider whose metadata lists other PKCE methods only, a callback of another flow or
//! another provider (RFC 9207), a repeated parameter, and an invalid ID token.

mod callback;
mod flow;
mod loopback;
mod loopback_host;
mod request;

#[cfg(feature = "fuzzing")]
pub(crate) use callback::read;
pub use flow::CodeFlow;
pub use loopback::LoopbackRedirect;
pub use request::AuthorizationRequest;
