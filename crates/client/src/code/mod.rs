//! Signing a person in: the authorization code grant (RFC 6749, section 4.1), always with PKCE (RFC
//! 7636, S256), state, and a nonce where an ID token comes back; by a pushed request where wanted
//! (RFC 9126).
//!
//! Refuses: a provider that says that it does not know S256, a callback of another flow or another
//! provider (RFC 9207), a repeated parameter, and an ID token that does not fit.

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
