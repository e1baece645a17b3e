//! The format of the token file: a JSON document whose content is sealed by AES-256-GCM.
//!
//! What stands outside of the seal (the version, where the key comes from) is authenticated with
//! it, so nobody can make a file out of it that is opened in another way. A file of a later version
//! is refused, not guessed at.

use super::key::Key;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use portcullis_core::jose::base64url;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from", deny_unknown_fields)]
pub(super) enum Sealing {
    Keyring,
    KeyFile,
    Passphrase {
        salt: String,
        iterations: NonZeroU32,
    },
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    portcullis_tokens: u32,
    pub(super) key: Sealing,
    nonce: String,
    sealed: String,
}

impl Sealing {
    pub(super) fn in_words(&self) -> &'static str {
        match self {
            Self::Keyring => "encrypted, the key is in the OS keyring",
            Self::KeyFile => "encrypted, but the key is in a file beside it",
            Self::Passphrase { .. } => "encrypted, the key is made from the passphrase",
        }
    }

    /// What is authenticated besides the content.
    fn context(&self) -> String {
        format!(
            "portcullis tokens {FORMAT}\n{}",
            serde_json::to_string(self).unwrap_or_default()
        )
    }
}

/// A document with this content; none if there are no random numbers.
pub(super) fn seal(key: &Key, sealing: &Sealing, content: &[u8]) -> Option<String> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.bytes()).ok()?;
    // The content grows by a tag; in place, so that no clear text stays behind in a buffer that was
    // outgrown.
    let mut sealed = Vec::with_capacity(content.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(content);
    let nonce = cipher
        .seal_in_place_append_tag(Aad::from(sealing.context()), &mut sealed)
        .ok()?;
    let document = Document {
        portcullis_tokens: FORMAT,
        key: sealing.clone(),
        nonce: base64url::encode(nonce.as_ref()),
        sealed: base64url::encode(&sealed),
    };
    serde_json::to_string_pretty(&document).ok()
}

impl Document {
    /// Reads what stands outside of the seal.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            portcullis_tokens: u32,
        }
        let version: Version = serde_json::from_str(text)
            .map_err(|_| "it is no token store, or cut off".to_owned())?;
        if version.portcullis_tokens != FORMAT {
            return Err(format!(
                "it has format {}, and this version knows {FORMAT}: use the version that wrote it",
                version.portcullis_tokens
            ));
        }
        let document: Self =
            serde_json::from_str(text).map_err(|_| "a member is missing or wrong".to_owned())?;
        if let Sealing::Passphrase { iterations, .. } = &document.key
            && iterations.get() > MOST_ITERATIONS
        {
            return Err("it asks for too much work to make the key".to_owned());
        }
        Ok(document)
    }

    /// The content, if this is the key and nothing was changed.
    pub(super) fn open(&self, key: &Key) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.bytes()).ok()?;
        let nonce = base64url::decode(&self.nonce).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
        let mut content = Zeroizing::new(base64url::decode(&self.sealed).ok()?);
        let length = cipher
            .open_in_place(nonce, Aad::from(self.key.context()), &mut content)
            .ok()?
            .len();
        content.truncate(length);
        Some(content)
    }
}

const FORMAT: u32 = 1;

/// How often PBKDF2 goes round (OWASP's figure for HMAC-SHA-256).
pub(super) const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();

/// A file that somebody else wrote must not keep this machine busy.
const MOST_ITERATIONS: u32 = 10_000_000;
