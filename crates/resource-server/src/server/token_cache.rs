//! The verified-token cache: it spares the signature check of a token that was verified before.
//!
//! The key is the SHA-256 of the whole token; the settings are fixed for the life of the cache. A
//! hit spares nothing else: time, revocation, binding and policy are checked again, and so is
//! whether the signing key is still in the issuer's set.

use crate::issuers::TrustedIssuer;
use crate::revocation::Standing;
use crate::token_digest::TokenDigest;
use portcullis_core::token::VerifiedToken;
use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// Verified tokens, at most as many as the settings say; the least useful make room.
pub(crate) struct TokenCache(Option<RememberedTokens>);

type RememberedTokens =
    Cache<TokenDigest, RememberedToken, UnitWeighter, BuildHasherDefault<FirstBytes>>;

/// A verified token with its issuer, and whether the denylist is known to hold nothing against it.
#[derive(Clone)]
pub(crate) struct RememberedToken {
    pub(crate) token: VerifiedToken,
    pub(crate) issuer: Arc<TrustedIssuer>,
    pub(crate) standing: Arc<Standing>,
}

impl TokenCache {
    pub(crate) fn new(capacity: usize) -> Self {
        if capacity == 0 {
            return Self(None);
        }
        Self(Some(Cache::with(
            capacity,
            capacity as u64,
            UnitWeighter,
            BuildHasherDefault::default(),
            Default::default(),
        )))
    }

    /// The token of this digest, if its key is still published.
    pub(crate) fn find(&self, digest: &TokenDigest) -> Option<RememberedToken> {
        let tokens = self.0.as_ref()?;
        let remembered = tokens.get(digest)?;
        let key = remembered.token.key()?;
        // A key that the issuer withdraws may be in the wrong hands: its tokens end at once.
        if let Some(keys) = remembered.issuer.keys.current()
            && keys.holds(key)
        {
            return Some(remembered);
        }
        tokens.remove(digest);
        None
    }

    pub(crate) fn remember(&self, digest: TokenDigest, remembered: RememberedToken) {
        if let Some(tokens) = &self.0 {
            tokens.insert(digest, remembered);
        }
    }

    pub(crate) fn forget(&self, digest: &TokenDigest) {
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

/// The key is already a SHA-256; its first eight bytes serve as the hash.
#[derive(Default)]
pub(crate) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only verified tokens are stored, so nobody can fill one shard with made-up texts.
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    /// The length of an array adds nothing.
    fn write_usize(&mut self, _: usize) {}
}
