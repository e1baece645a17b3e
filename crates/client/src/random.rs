//! What nobody can guess.

use crate::error::Error;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use portcullis_core::jose::base64url;

/// 256 random bits, in base64url: 43 characters. Fit for a `state`, a `nonce`, a `jti` or a code
/// verifier.
pub(crate) fn unguessable() -> Result<String, Error> {
    let bytes: [u8; 32] = bytes()?;
    Ok(base64url::encode(&bytes))
}

/// A number from 0 up to 1, for spreading what would otherwise happen at once. A machine without
/// random numbers spreads nothing.
pub(crate) fn fraction() -> f64 {
    bytes::<4>().map_or(0.0, |bytes| {
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    })
}

fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Error::outage("this machine gives no random numbers", None)),
    }
}
