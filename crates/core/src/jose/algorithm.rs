//! The closed list of signature algorithms (RFC 7518, section 3.1; RFC 8037; RFC 9864).
//!
//! `none` and the HMAC family have no value here: a token that names them cannot be expressed, so
//! no setting can let one in.

use std::fmt;

// Exhaustive on purpose: each algorithm needs its key type, its hash and its parameters.
/// A signature algorithm that a fetched public key can verify.
///
/// `EdDSA` (RFC 8037) and its fully specified name `Ed25519` (RFC 9864) are the same algorithm
/// here: Ed25519 is the only curve this list gives to the name `EdDSA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// Ed25519, named `EdDSA` or `Ed25519`.
    EdDSA,
}

impl Algorithm {
    /// Every algorithm there is.
    pub const ALL: [Self; 10] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// The algorithm of this registered name. Names are case-sensitive (RFC 7515, section 4.1.1).
    ///
    /// `None` for `none`, for HMAC, and for everything else that this list does not hold.
    pub fn from_name(name: &str) -> Option<Self> {
        // RFC 9864 gives the one curve that we know under `EdDSA` a name of its own.
        if name == "Ed25519" {
            return Some(Self::EdDSA);
        }
        let mut algorithms = Self::ALL.into_iter();
        algorithms.find(|algorithm| algorithm.name() == name)
    }

    /// The name in the registry of JSON Web Signature algorithms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDSA));
    }

    #[test]
    fn what_is_not_asymmetric_has_no_value() {
        for name in [
            "none", "None", "HS256", "HS512", "ES256K", "rs256", "RS256 ", "RS1", "dir", "",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name:?}");
        }
    }
}
