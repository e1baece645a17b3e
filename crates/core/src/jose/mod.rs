//! JSON Object Signing and Encryption, the signing half, strictly (RFC 7515, 7517, 7518, 8037).

pub mod algorithm;
pub mod base64url;
pub mod compact;
mod embedded_key;
pub mod json;
mod jwk;
mod jwk_fault;
mod jwk_member;
mod jwks;
mod key_material;
pub mod signature;
#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub(crate) use embedded_key::EmbeddedKey;

pub use compact::{CompactJws, Header, UnverifiedToken};
pub use jwk::VerifyingKey;
pub use jwk_fault::JwkFault;
pub use jwks::{Jwks, JwksError, Selection, SkippedKey};
pub use signature::SignedToken;
