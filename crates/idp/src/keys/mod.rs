//! The signing keys: made, published, rotated, retired.

pub(crate) mod authority;
pub(crate) mod file;
pub(crate) mod pair;
pub(crate) mod signing_key;
pub(crate) mod tls;

use crate::dialect::shape::{ExtraKey, ProviderShape};
use crate::keys::signing_key::IssuerKey;
use crate::token::claims::{JsonObject, claims};
use portcullis_core::ConfigErrors;
use portcullis_core::jose::Algorithm;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether the old key stays published when a new one takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// The old key stays published beside the new one, once.
    With,
    /// The old key disappears at once.
    Without,
    /// The old key disappears at once, and the new one takes its `kid`: as after a restart of a
    /// provider whose keys have fixed names.
    SameKid,
}

/// How many keys are remembered that are published no more.
const MOST_RETIRED: usize = 8;

/// The keys of a provider: the last one signs.
pub(crate) struct KeyRing {
    algorithm: Algorithm,
    shape: &'static dyn ProviderShape,
    published: Mutex<Vec<Arc<IssuerKey>>>,
    beside: Option<Arc<IssuerKey>>,
    /// The latest that are published no more, the last one first.
    retired: Mutex<Vec<Arc<IssuerKey>>>,
    made: AtomicUsize,
}

impl KeyRing {
    /// The first key is the file's, if there is a file.
    pub(crate) async fn new(
        algorithm: Algorithm,
        shape: &'static dyn ProviderShape,
        file: Option<&Path>,
    ) -> Result<Self, ConfigErrors> {
        let signing = match file {
            Some(file) => Arc::new(IssuerKey::of_file(algorithm, file)?),
            None => IssuerKey::generate(algorithm, shape.kid(0)).await,
        };
        // Made at start even if it never signs: the key set must look complete from the beginning.
        let beside = match shape.beside() {
            ExtraKey::Nothing => None,
            ExtraKey::Encryption => Some(IssuerKey::generate(Algorithm::RS256, shape.kid(1)).await),
            ExtraKey::IdTokens | ExtraKey::OtherTenant => {
                Some(IssuerKey::generate(algorithm, shape.kid(1)).await)
            }
        };
        // Numbers 0 and 1 are taken: by the signing key, and by the one beside if there is one.
        let (published, made) = (Mutex::new(vec![signing]), AtomicUsize::new(2));
        Ok(Self {
            algorithm,
            shape,
            published,
            beside,
            retired: Mutex::default(),
            made,
        })
    }

    /// Takes a new key into use.
    pub(crate) async fn rotate(&self, overlap: Overlap) {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        let kid = match overlap {
            // A cache that looks up by name alone would use the old key for ever.
            Overlap::SameKid => self.signing().kid.clone(),
            Overlap::With | Overlap::Without => self.shape.kid(number),
        };
        // Generated before the lock is taken, because an RSA key takes a while.
        let new = IssuerKey::generate(self.algorithm, kid).await;
        let mut published = self.lock_published();
        // At most one old key stays: a second rotation ends the overlap of the first.
        let before = published.pop();
        let mut gone = std::mem::take(&mut *published);
        match before {
            Some(key) if overlap == Overlap::With => published.push(key),
            other => gone.extend(other),
        }
        published.push(new);
        let mut retired = self
            .retired
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        gone.into_iter().for_each(|key| retired.insert(0, key));
        // Only for the console; nothing verifies with them.
        retired.truncate(MOST_RETIRED);
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> Arc<IssuerKey> {
        #[expect(
            clippy::expect_used,
            reason = "there is a key from the start, and every rotation adds one"
        )]
        let key = self
            .lock_published()
            .last()
            .cloned()
            .expect("a signing key");
        key
    }

    /// All that are published, the one that signs first.
    pub(crate) fn all(&self) -> Vec<Arc<IssuerKey>> {
        self.lock_published()
            .iter()
            .rev()
            .chain(&self.beside)
            .cloned()
            .collect()
    }

    /// The latest that are published no more, the last one first.
    pub(crate) fn retired_keys(&self) -> Vec<Arc<IssuerKey>> {
        self.retired
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The key that signs ID tokens: mostly the same one.
    pub(crate) fn signing_id_tokens(&self) -> Arc<IssuerKey> {
        self.beside_for(ExtraKey::IdTokens)
            .unwrap_or_else(|| self.signing())
    }

    /// The key beside, if it is there for that.
    pub(crate) fn beside_for(&self, purpose: ExtraKey) -> Option<Arc<IssuerKey>> {
        self.beside
            .clone()
            .filter(|_| self.shape.beside() == purpose)
    }

    /// The public key set (RFC 7517, section 5) of an issuer; `other` is the issuer of the key
    /// beside, if it has one.
    pub(crate) fn jwks(&self, issuer: &str, other: &str) -> JsonObject {
        let dressed = |key: &IssuerKey, issuer: &str| {
            let mut jwk = key.jwk();
            self.shape.dress_key(&mut jwk, issuer);
            jwk
        };
        let mut keys: Vec<JsonObject> = self
            .lock_published()
            .iter()
            .rev()
            .map(|key| dressed(key, issuer))
            .collect();
        keys.extend(
            self.beside
                .as_deref()
                .map(|key| match self.shape.beside() {
                    ExtraKey::Encryption => key.encryption_jwk(),
                    ExtraKey::OtherTenant => dressed(key, other),
                    ExtraKey::IdTokens | ExtraKey::Nothing => dressed(key, issuer),
                }),
        );
        let mut set = claims(json!({ "keys": keys }));
        let signing = self.signing();
        self.shape
            .dress_key_set(&mut set, &signing.kid, &signing.public_pem());
        set
    }

    fn lock_published(&self) -> MutexGuard<'_, Vec<Arc<IssuerKey>>> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
