//! The format of the token file: a JSON document whose content is sealed with AES-256-GCM.
//!
//! The members outside the seal (the version, the source of the key) are authenticated with it, so
//! nobody can turn the file into one that opens in another way. A file of a later version is
//! refused; its content is not guessed at.

use super::key::StoreKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use portcullis_core::jose::base64url;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from", deny_unknown_fields)]
pub(super) enum KeyOrigin {
    Keyring,
    KeyFile,
    Passphrase {
        salt: String,
        iterations: NonZeroU32,
    },
}

/// The token file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealedFile {
    portcullis_tokens: u32,
    pub(super) key: KeyOrigin,
    nonce: String,
    sealed: String,
}

impl KeyOrigin {
    /// How the file is protected, for people.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Keyring => "encrypted; the key is in the OS keyring",
            Self::KeyFile => "encrypted; the key is in a file next to it",
            Self::Passphrase { .. } => "encrypted; the key is derived from the passphrase",
        }
    }

    /// The data that is authenticated besides the content.
    fn context(&self) -> String {
        // Without it, a file could be given fewer iterations, or another source of its key.
        let source = serde_json::to_string(self).unwrap_or_default();
        format!("portcullis tokens {FORMAT}\n{source}")
    }
}

/// A file with this content; none if the system has no random numbers.
pub(super) fn seal(key: &StoreKey, source: &KeyOrigin, content: &[u8]) -> Option<String> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.bytes()).ok()?;
    // Sized for the tag up front: a buffer that grows would leave clear text behind in memory.
    let mut sealed = Vec::with_capacity(content.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(content);
    let context = Aad::from(source.context());
    let nonce = cipher
        .seal_in_place_append_tag(context, &mut sealed)
        .ok()?;
    let file = SealedFile {
        portcullis_tokens: FORMAT,
        key: source.clone(),
        nonce: base64url::encode(nonce.as_ref()),
        sealed: base64url::encode(&sealed),
    };
    serde_json::to_string_pretty(&file).ok()
}

impl SealedFile {
    /// Reads the members outside the seal.
    ///
    /// # Errors
    ///
    /// The problem, to be put behind the file's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // The version alone is read first: a later version may have other members.
        let Ok(version) = serde_json::from_str::<FileVersion>(text) else {
            return Err("expected a token store, found another or an incomplete file".to_owned());
        };
        if version.portcullis_tokens != FORMAT {
            return Err(format!(
                "expected format {FORMAT}, found format {}; use the version that wrote it",
                version.portcullis_tokens
            ));
        }
        let Ok(file) = serde_json::from_str::<Self>(text) else {
            return Err("a member is missing, unknown or of the wrong type".to_owned());
        };
        if let KeyOrigin::Passphrase { iterations, .. } = &file.key
            && iterations.get() > MAX_ITERATIONS
        {
            return Err(format!(
                "expected at most {MAX_ITERATIONS} iterations for its key, found {iterations}"
            ));
        }
        Ok(file)
    }

    /// The content, if the key fits and the file was not modified.
    pub(super) fn open(&self, key: &StoreKey) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.bytes()).ok()?;
        let nonce = base64url::decode(&self.nonce).ok()?;
        // Only sealing needs a nonce that is new; opening takes the one in the file.
        let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
        let context = Aad::from(self.key.context());
        // Opened in its own buffer, so that the clear text exists once, and is wiped with it.
        let mut content = Zeroizing::new(base64url::decode(&self.sealed).ok()?);
        let opened = cipher
            .open_in_place(nonce, context, &mut content)
            .ok()?;
        let length = opened.len();
        content.truncate(length);
        Some(content)
    }
}

/// The one member that every version of the file has.
#[derive(Deserialize)]
struct FileVersion {
    portcullis_tokens: u32,
}

const FORMAT: u32 = 1;

/// The iterations of PBKDF2 (OWASP's figure for HMAC-SHA-256).
pub(super) const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();

/// The bound on iterations: a file of somebody else must not keep this machine busy.
const MAX_ITERATIONS: u32 = 10_000_000;
