//! How a token is signed: as it should be, or wrong on purpose.

use crate::keys::signing_key::IssuerKey;
use aws_lc_rs::hmac;
use serde_json::json;

/// Who signs.
pub(crate) enum Signer {
    /// The key it should be.
    Key,
    /// Nobody.
    None,
    /// The public key, taken for an HMAC secret.
    HmacWithPublicKey,
    /// The right key, but one bit of the signature is wrong.
    Flipped,
}

impl Signer {
    pub(crate) fn sign(&self, key: &IssuerKey, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Key => key.sign(input),
            // The signature of an unsecured JWS is empty (RFC 7518, section 3.6).
            Self::None => Vec::new(),
            Self::HmacWithPublicKey => {
                // The attack on validators that take the algorithm from the token (RFC 8725,
                // section 2.1).
                let secret = json!(key.jwk()).to_string();
                let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                hmac::sign(&secret, input).as_ref().to_vec()
            }
            Self::Flipped => {
                let mut signature = key.sign(input);
                // One bit is enough: a validator that compares only a part would miss it.
                signature
                    .iter_mut()
                    .take(1)
                    .for_each(|byte| *byte ^= 1);
                signature
            }
        }
    }
}
