//! The signature check: the only caller of the crypto library's verification.

use super::compact::{CompactJws, Header, UnverifiedToken};
use super::jwk::VerifyingKey;
use crate::rejection::{Code, Rejection};
use crate::token::Claims;

/// A token whose signature is proven by one of its issuer's keys. Its claims are genuine, but not
/// checked yet.
#[derive(Debug)]
pub struct SignedToken {
    header: Header,
    claims: Claims,
    key: VerifyingKey,
}

/// Proves the signature with the first key that fits.
///
/// # Errors
///
/// `token.signature` if no key fits, or there are no keys.
pub fn check(token: UnverifiedToken<'_>, keys: &[VerifyingKey]) -> Result<SignedToken, Rejection> {
    let key = check_jws(token.jws(), keys)?;
    let (header, claims) = token.into_parts();
    Ok(SignedToken {
        header,
        claims,
        key,
    })
}

/// Proves the signature of a JWS with any payload, and returns the key that fits. It says nothing
/// about the payload.
///
/// # Errors
///
/// `token.signature` if no key fits, or there are no keys.
pub fn check_jws(jws: &CompactJws<'_>, keys: &[VerifyingKey]) -> Result<VerifyingKey, Rejection> {
    for key in keys {
        if is_signed_by(jws, key) {
            return Ok(key.clone());
        }
    }
    Err(Rejection::new(Code::TokenSignature))
}

fn is_signed_by(jws: &CompactJws<'_>, key: &VerifyingKey) -> bool {
    // The key says what it is for: the token's `alg` alone decides nothing (RFC 8725, section 3.1).
    let Some(parsed) = key.parsed_for(jws.header().algorithm) else {
        return false;
    };
    let input = jws.signing_input().as_bytes();
    parsed.verify_sig(input, jws.signature()).is_ok()
}

impl SignedToken {
    /// The protected header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn key(&self) -> &VerifyingKey {
        &self.key
    }

    pub(crate) fn into_parts(self) -> (Header, Claims, VerifyingKey) {
        (self.header, self.claims, self.key)
    }
}
