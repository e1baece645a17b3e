//! The signature check: the only caller of the crypto library's verification.

use super::compact::{CompactJws, Header, UnverifiedToken};
use super::jwk::VerifyingKey;
use crate::rejection::{Code, Rejection};
use crate::token::Claims;

/// A token whose signature is proven by one of its issuer's keys. Its claims are genuine, but not
/// yet judged.
#[derive(Debug)]
pub struct SignedToken {
    header: Header,
    claims: Claims,
    key: VerifyingKey,
}

/// Proves the signature with the first key that does.
///
/// # Errors
///
/// `token.signature` where none of the keys does, and where there is none.
pub fn check(token: UnverifiedToken<'_>, keys: &[VerifyingKey]) -> Result<SignedToken, Rejection> {
    let key = check_jws(token.jws(), keys)?;
    let (header, claims) = token.into_parts();
    Ok(SignedToken {
        header,
        claims,
        key,
    })
}

/// Proves the signature of a JWS with any payload, and says which key did. It says nothing about
/// the payload.
///
/// # Errors
///
/// `token.signature` where none of the keys does, and where there is none.
pub fn check_jws(jws: &CompactJws<'_>, keys: &[VerifyingKey]) -> Result<VerifyingKey, Rejection> {
    let signer = keys.iter().find(|key| signed_by(jws, key)).cloned();
    signer.ok_or_else(|| Rejection::new(Code::TokenSignature))
}

fn signed_by(jws: &CompactJws<'_>, key: &VerifyingKey) -> bool {
    key.parsed_for(jws.header().algorithm)
        .is_some_and(|parsed| {
            parsed
                .verify_sig(jws.signing_input().as_bytes(), jws.signature())
                .is_ok()
        })
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
