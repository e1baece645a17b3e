//! Tokens that are bound to a key (RFC 9449): the key, its proofs, and the nonces of the servers.

mod key;
mod nonces;

pub use key::DpopKey;
pub(crate) use key::ProofTarget;
pub(crate) use nonces::Nonces;
