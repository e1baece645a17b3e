//! The signature check: the only caller of the crypto library's verification.

use super::compact::{Header, UnverifiedToken};
use super::jwk::VerifyingKey;
use crate::rejection::{Code, Rejection};
use crate::token::Claims;

/// A token whose signature is proven by one of its issuer's keys. Its claims are genuine, but not yet judged.
#[derive(Debug)]
pub struct SignedToken {
    header: Header,
    claims: Claims,
    key: [u8; 32],
}

/// Proves the signature with the first key that does.
///
/// # Errors
///
/// `token.signature` where none of the keys does, and where there is none.
pub fn check(token: UnverifiedToken<'_>, keys: &[VerifyingKey]) -> Result<SignedToken, Rejection> {
    let signer = keys.iter().find(|key| signed_by(&token, key)).map(|key| *key.fingerprint());
    let key = signer.ok_or_else(|| Rejection::new(Code::TokenSignature))?;
    let (header, claims) = token.into_parts();
    Ok(SignedToken { header, claims, key })
}

fn signed_by(token: &UnverifiedToken<'_>, key: &VerifyingKey) -> bool {
    key.parsed_for(token.header().algorithm)
        .is_some_and(|parsed| parsed.verify_sig(token.signing_input().as_bytes(), token.signature()).is_ok())
}

impl SignedToken {
    /// The protected header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn into_parts(self) -> (Header, Claims, [u8; 32]) {
        (self.header, self.claims, self.key)
    }
}
