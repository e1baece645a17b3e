//! The verified-token cache: it spares the signature check of a token that was verified before.
//!
//! The key is the SHA-256 of the whole token; the settings are fixed for the life of the cache. A
//! hit spares nothing else: time, revocation, binding and policy are checked again, and so is
//! whether the signing key is still in the issuer's set.

use crate::issuers::TrustedIssuer;
use crate::revocation::Standing;
use aws_lc_rs::digest;
use portcullis_core::token::AccessToken;
use quick_cache::sync::Cache;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// Verified tokens, at most as many as the settings say; the least useful make room.
pub(crate) struct TokenCache(Option<Tokens>);

type Tokens = Cache<Digest, Remembered, quick_cache::UnitWeighter, BuildHasherDefault<FirstBytes>>;

/// The SHA-256 of a token.
pub(crate) type Digest = [u8; 32];

/// A token that was verified, by which issuer, and how it stands with the denylist.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) token: AccessToken,
    pub(crate) issuer: Arc<TrustedIssuer>,
    pub(crate) standing: Arc<Standing>,
}

impl TokenCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self((capacity > 0).then(|| {
            Cache::with(
                capacity,
                capacity as u64,
                quick_cache::UnitWeighter,
                BuildHasherDefault::default(),
                Default::default(),
            )
        }))
    }

    pub(crate) fn digest(token: &str) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        bytes
    }

    /// The token of this digest, if its key is still published.
    pub(crate) fn find(&self, digest: &Digest) -> Option<Remembered> {
        let tokens = self.0.as_ref()?;
        let remembered = tokens.get(digest)?;
        let key = remembered.token.key()?;
        if remembered
            .issuer
            .keys
            .current()
            .is_some_and(|keys| keys.holds(key))
        {
            Some(remembered)
        } else {
            tokens.remove(digest);
            None
        }
    }

    pub(crate) fn remember(&self, digest: Digest, remembered: Remembered) {
        if let Some(tokens) = &self.0 {
            tokens.insert(digest, remembered);
        }
    }

    pub(crate) fn forget(&self, digest: &Digest) {
        if let Some(tokens) = &self.0 {
            tokens.remove(digest);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Cache::len)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.len())
    }
}

/// A SHA-256 is as good a hash as there is: its first bytes will do.
#[derive(Default)]
pub(crate) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    /// The length of an array adds nothing.
    fn write_usize(&mut self, _: usize) {}
}
