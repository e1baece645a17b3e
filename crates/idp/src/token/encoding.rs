//! Base64url, digests, and random text, in the forms that JOSE writes.

use aws_lc_rs::digest;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The digest as JOSE writes it: base64url without padding.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    base64url(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The left half of the digest, as ID tokens hold it.
pub(crate) fn sha256_left_half(bytes: &[u8]) -> String {
    base64url(
        digest::digest(&digest::SHA256, bytes)
            .as_ref()
            .get(..16)
            .unwrap_or_default(),
    )
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A text that nobody can guess, out of so many random bytes.
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing here is safe"
)]
pub(crate) fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    SystemRandom::new()
        .fill(&mut random)
        .expect("randomness");
    base64url(&random)
}
