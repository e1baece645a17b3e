//! A signature of an issuer: its keys are found, and the token is proven by one of them.
//!
//! The one wait on the way of a JWT, whatever kind of token it is.

use portcullis_core::jose::{Header, SignedToken, UnverifiedToken, compact, signature};
use portcullis_core::rejection::Rejection;
use portcullis_core::{Denial, Limits};
use portcullis_provider::keys::{FoundKeys, KeyCache, KeyFault};
use std::sync::Arc;
use std::time::Duration;

/// Proves that a token is signed by one of these keys. `text` is the token itself.
pub(crate) async fn prove(
    keys: &Arc<KeyCache>,
    token: UnverifiedToken<'_>,
    text: &str,
    limits: &Limits,
) -> Result<SignedToken, Denial> {
    let found = find(keys, token.header()).await?;
    let refusal = match signature::check(token, &found.keys) {
        Ok(token) => return Ok(token),
        Err(refusal) => refusal,
    };
    // The issuer may publish another key under that name by now. The check consumed the token, so
    // it is parsed again.
    let token = compact::parse(text, limits)?;
    let replacements = keys.replacements(token.header(), &found).await?;
    Ok(signature::check(token, &replacements.ok_or(refusal)?)?)
}

/// The keys that could have signed a token.
async fn find(keys: &Arc<KeyCache>, header: &Header) -> Result<FoundKeys, Denial> {
    keys.start();
    let kid = header.kid.as_deref();
    match keys.key(kid, header.algorithm).await {
        Ok(found) => Ok(found),
        Err(KeyFault::UnknownKey { unasked_for }) => Err(of_unknown_key(kid, unasked_for).into()),
        Err(KeyFault::WrongAlgorithm) => Err(Rejection::of_key_algorithm(header.algorithm).into()),
        Err(KeyFault::Outage(outage)) => Err(outage.into()),
    }
}

/// The refusal of a token whose key is not known, and may not have been asked for.
pub(crate) fn of_unknown_key(kid: Option<&str>, unasked_for: Option<Duration>) -> Rejection {
    match unasked_for {
        Some(wait) => Rejection::of_unasked_key(kid, wait),
        None => Rejection::of_unknown_key(kid),
    }
}
