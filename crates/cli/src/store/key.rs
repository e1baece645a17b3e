//! The key of the token file, and where it comes from.
//!
//! | from | keeps the tokens from | does not keep them from |
//! |---|---|---|
//! | the OS keyring | other users, a stolen disk, a copied home | this user's programs |
//! | a passphrase | whoever does not know it | whoever reads the environment it is in |
//! | a file beside | whoever has the token file alone | this user's programs, root, a backup |

use crate::exit::{Exit, Failure};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use portcullis_core::jose::base64url;
use std::num::NonZeroU32;
use std::path::Path;
use zeroize::Zeroizing;

/// 256 bits.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A new one.
    pub(super) fn random() -> Result<Self, Failure> {
        let mut key = Zeroizing::new([0; 32]);
        let made = SystemRandom::new().fill(&mut *key);
        made.map(|()| Self(key))
            .map_err(|_| Failure::could_not_run("this machine gives no random numbers"))
    }

    /// The one that a passphrase makes, with this salt.
    pub(super) fn derive(passphrase: &str, salt: &[u8], iterations: NonZeroU32) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(
            PBKDF2_HMAC_SHA256,
            iterations,
            salt,
            passphrase.as_bytes(),
            &mut *key,
        );
        Self(key)
    }

    /// As it is written: base64url, since not every keyring keeps bytes.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url::encode(&*self.0))
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(base64url::decode(text.trim()).ok()?);
        Some(Self(Zeroizing::new(
            <[u8; 32]>::try_from(bytes.as_slice()).ok()?,
        )))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What is wrong with a key file.
pub(super) fn bad_key_file(path: &Path) -> Failure {
    let cure = "put the right file back; or `portcullis token clear --all` to begin anew";
    Failure::with_cure(
        Exit::CouldNotRun,
        format!("{}: it holds no key", path.display()),
        cure,
    )
}
