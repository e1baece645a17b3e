//! What a token is remembered by: its SHA-256, so that no memory holds a token as text.

use aws_lc_rs::digest;

/// The SHA-256 of a token.
pub(crate) type TokenDigest = [u8; 32];

/// Hashes a token: the whole of it, so that two tokens with the same claims stay apart.
pub(crate) fn token_digest(token: &str) -> TokenDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    bytes
}
