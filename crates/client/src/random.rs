//! Random values that nobody can guess.

use crate::error::Error;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use portcullis_core::jose::base64url;

/// 256 random bits in base64url, 43 characters: a `state`, a `nonce`, a `jti` or a code verifier.
pub(crate) fn unguessable() -> Result<String, Error> {
    let bytes: [u8; 32] = bytes()?;
    Ok(base64url::encode(&bytes))
}

/// A number from 0 up to, but not including, 1. It spreads what would otherwise happen at once.
pub(crate) fn fraction() -> f64 {
    match bytes::<4>() {
        Ok(bytes) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        // Spreading is a courtesy. Without random numbers every renewal still happens, on time.
        Err(_) => 0.0,
    }
}

fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Error::outage("this machine has no random numbers", None)),
    }
}
