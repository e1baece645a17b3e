//! The key of the token file, and where it comes from.
//!
//! | from | protects the tokens against | does not protect them against |
//! |---|---|---|
//! | the OS keyring | other users, a stolen disk, a copied home | this user's programs |
//! | a passphrase | anybody who does not know it | anybody who can read its environment |
//! | a file next to it | a leak of the token file alone | this user's programs, root, a backup |

use super::error;
use crate::exit::CommandError;
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use portcullis_core::jose::base64url;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// The AES-256 key of the token file.
#[derive(Clone)]
pub(super) struct StoreKey(Zeroizing<[u8; 32]>);

impl StoreKey {
    /// A new random key.
    pub(super) fn random() -> Result<Self, CommandError> {
        let mut key = Zeroizing::new([0; 32]);
        match SystemRandom::new().fill(&mut *key) {
            Ok(()) => Ok(Self(key)),
            Err(_) => Err(error::no_random_numbers()),
        }
    }

    /// The key that a passphrase and a salt give.
    pub(super) fn derive(passphrase: &str, salt: &[u8], iterations: NonZeroU32) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let secret = passphrase.as_bytes();
        pbkdf2::derive(PBKDF2_HMAC_SHA256, iterations, salt, secret, &mut *key);
        Self(key)
    }

    /// The key in base64url, since some keyrings hold text only.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url::encode(&*self.0))
    }

    /// The key of such a text, if it is one.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(base64url::decode(text.trim()).ok()?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
        // Exactly 32 bytes, or it is the entry of another program.
        Some(Self(Zeroizing::new(key)))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
