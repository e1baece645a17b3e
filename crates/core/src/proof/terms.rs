//! What a proof of DPoP must meet.

use super::Nonces;
use crate::credential::Scheme;
use crate::jose::Algorithm;
use crate::rejection::DpopOffer;
use crate::token::NumericDate;
use std::sync::Arc;

/// What a proof must meet, whatever it is for.
///
/// ```
/// use portcullis_core::proof::ProofTerms;
///
/// let terms = ProofTerms { past_seconds: 30, ..ProofTerms::default() };
/// assert_eq!(terms.algorithm_names(), "ES256 EdDSA PS256 ES384 RS256");
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "settings are written with `..`")]
pub struct ProofTerms {
    /// Algorithms that proofs may be signed with. Default ES256, EdDSA, PS256, ES384, RS256.
    pub algorithms: Vec<Algorithm>,
    /// How old a proof may be, in seconds. Default 60.
    pub past_seconds: u32,
    /// How far its clock may be ahead, in seconds. Default 10 (FAPI 2.0, section 5.3.2.1).
    pub future_seconds: u32,
    /// Nonces that proofs must contain. Then the nonce tells the age of a proof, not its clock.
    /// Default none.
    pub nonces: Option<Arc<Nonces>>,
    /// Longest proof, in bytes. Default 8,192.
    pub proof_bytes: usize,
    /// Longest `jti`, in bytes. Default 256.
    pub jti_bytes: usize,
}

impl ProofTerms {
    /// What a challenge says about proofs that meet these terms.
    pub fn offer(&self, now: NumericDate) -> DpopOffer {
        DpopOffer {
            algorithms: self.algorithm_names(),
            scheme: Scheme::Dpop,
            allows_bearer: true,
            nonce: self.nonces.as_ref().map(|nonces| nonces.current(now)),
        }
    }

    /// The algorithms as a challenge names them (RFC 9449, section 7.1).
    pub fn algorithm_names(&self) -> String {
        let names: Vec<&str> = self.algorithms.iter().map(|it| it.name()).collect();
        names.join(" ")
    }
}

impl Default for ProofTerms {
    fn default() -> Self {
        Self {
            algorithms: vec![
                Algorithm::ES256,
                Algorithm::EdDSA,
                Algorithm::PS256,
                Algorithm::ES384,
                Algorithm::RS256,
            ],
            past_seconds: 60,
            future_seconds: 10,
            nonces: None,
            proof_bytes: 8_192,
            jti_bytes: 256,
        }
    }
}
