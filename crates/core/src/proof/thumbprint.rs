//! SHA-256 over a public key or a certificate: what a token is bound to.

use crate::jose::base64url;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, Digest};
use std::fmt;
use std::hash::{Hash, Hasher};

/// The SHA-256 of a key (RFC 7638) or of a certificate (RFC 8705, section 3.1). It is no secret.
///
/// ```
/// use portcullis_core::proof::Thumbprint;
///
/// let text = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
/// assert_eq!(Thumbprint::parse(text).ok_or("no thumbprint")?.to_string(), text);
/// assert!(Thumbprint::parse("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Reads the base64url text of a `cnf` member: one spelling, without padding.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base64url::decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The thumbprint of a certificate: the SHA-256 of its DER, whoever signed it.
    pub fn of_certificate(der: &[u8]) -> Self {
        Self::of(&digest::digest(&digest::SHA256, der))
    }

    /// A thumbprint that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn of(digest: &Digest) -> Self {
        let mut bytes = [0; 32];
        // A SHA-256 has 32 bytes; another length leaves zeros, which match nothing.
        if digest.as_ref().len() == bytes.len() {
            bytes.copy_from_slice(digest.as_ref());
        }
        Self(bytes)
    }
}

impl PartialEq for Thumbprint {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Thumbprint {}

impl Hash for Thumbprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_text_of_32_bytes_is_one() {
        let text = base64url::encode(&[7; 32]);
        assert_eq!(Thumbprint::parse(&text), Some(Thumbprint([7; 32])));
        for text in [
            "",
            "AA",
            &base64url::encode(&[7; 31]),
            &base64url::encode(&[7; 33]),
        ] {
            assert_eq!(Thumbprint::parse(text), None, "{text}");
        }
        assert_ne!(Thumbprint([7; 32]), Thumbprint([8; 32]));
        assert_eq!(
            format!("{:?}", Thumbprint([7; 32])),
            base64url::encode(&[7; 32])
        );
    }
}
