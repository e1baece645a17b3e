//! A key set (RFC 7517, section 5): one bad key never removes the good ones.

use super::Algorithm;
use super::json::{self, Json, JsonFault};
use super::jwk::VerifyingKey;
use super::jwk_fault::JwkFault;
use crate::Limits;
use crate::rejection::quote;
use std::fmt;

/// The usable keys of one issuer: at least one, unless it signs nothing.
#[derive(Clone, Debug)]
pub struct Jwks {
    keys: Vec<VerifyingKey>,
    skipped: Vec<SkippedKey>,
    keys_tried: usize,
}

// Exhaustive on purpose: each case sends the key cache another way.
/// The keys that could have signed a token.
#[derive(Clone, Debug)]
pub enum Selection {
    /// These, to be tried in order; usually one, never more than [`Limits::keys_tried`].
    Keys(Vec<VerifyingKey>),
    /// There is a key of that name, but for other algorithms. Fetching again would not help.
    WrongAlgorithm,
    /// There is no such key.
    Unknown,
}

impl Jwks {
    /// No keys: for an issuer that signs no tokens, and is asked about each of them.
    pub fn none() -> Self {
        Self {
            keys: Vec::new(),
            skipped: Vec::new(),
            keys_tried: 0,
        }
    }

    /// Reads a key set, skipping the keys that cannot be used.
    ///
    /// # Errors
    ///
    /// A document that is no key set, holds too many keys, or no usable key: keep the set that was
    /// there before.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, JwksError> {
        if document.len() > limits.document_bytes {
            return Err(JwksError::TooLarge);
        }
        let limits = &Limits {
            // A set of a hundred keys with their certificates holds more than any token.
            json_values: limits.json_values * 10,
            ..*limits
        };
        // RFC 8259, section 8.1: a reader may skip a byte order mark; files have one.
        let document = document
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(document);
        let document = json::parse(document, limits).map_err(JwksError::Json)?;
        let Json::Object(set) = &document else {
            return Err(JwksError::NoKeysMember);
        };
        let Some(Json::Array(elements)) = set.get("keys") else {
            return Err(JwksError::NoKeysMember);
        };
        if elements.len() > limits.keys {
            return Err(JwksError::TooManyKeys);
        }
        let mut set = Self {
            keys: Vec::new(),
            skipped: Vec::new(),
            keys_tried: limits.keys_tried,
        };
        for (index, element) in elements.iter().enumerate() {
            match VerifyingKey::from_jwk(element) {
                Ok(key) => set.add(key),
                Err(fault) => set
                    .skipped
                    .push(SkippedKey::new(index, element, fault)),
            }
        }
        // An empty set would refuse every token; the one that is there should stay.
        if set.keys.is_empty() {
            Err(JwksError::NoUsableKey(set.skipped))
        } else {
            Ok(set)
        }
    }

    /// The usable keys, in the order published.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The keys that were skipped, and why.
    pub fn skipped_keys(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The keys that could have signed a token with this header. A `kid` matches exactly or not at
    /// all; without one, all keys of the algorithm are candidates, within the limit.
    pub fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Selection {
        let mut candidates = Vec::new();
        let mut has_name = false;
        for key in &self.keys {
            if kid.is_some() && key.kid() != kid {
                continue;
            }
            has_name |= kid.is_some();
            // Each candidate costs a signature check, so a token without `kid` may not cost many.
            if key.allows(algorithm) && candidates.len() < self.keys_tried {
                candidates.push(key.clone());
            }
        }
        match (candidates.is_empty(), has_name) {
            (false, _) => Selection::Keys(candidates),
            (true, true) => Selection::WrongAlgorithm,
            (true, false) => Selection::Unknown,
        }
    }

    /// Whether this very key is in the set.
    pub fn holds(&self, fingerprint: &[u8; 32]) -> bool {
        self.keys
            .iter()
            .any(|key| key.fingerprint() == fingerprint)
    }

    /// Adds a key that is not there yet. A set may list one key twice.
    fn add(&mut self, key: VerifyingKey) {
        if !self.holds(key.fingerprint()) {
            self.keys.push(key);
        }
    }
}

/// A key of the set that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its place in the set, from 0.
    pub index: usize,
    /// Its `kid`, escaped and cut for logs.
    pub kid: Option<String>,
    /// Why it was skipped.
    pub fault: JwkFault,
}

impl SkippedKey {
    fn new(index: usize, element: &Json, fault: JwkFault) -> Self {
        let kid = match element {
            Json::Object(jwk) => jwk.get("kid").and_then(Json::as_str),
            _ => None,
        };
        Self {
            index,
            kid: kid.map(quote),
            fault,
        }
    }
}

/// Why a document cannot be installed as a key set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwksError {
    /// It is larger than the limit.
    TooLarge,
    /// It is not strict JSON.
    Json(JsonFault),
    /// It has no array named `keys`.
    NoKeysMember,
    /// It holds more keys than the limit.
    TooManyKeys,
    /// It holds no key that can be used.
    NoUsableKey(Vec<SkippedKey>),
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the key set is larger than the limit"),
            Self::Json(fault) => write!(f, "the key set is {fault}"),
            Self::NoKeysMember => {
                f.write_str("the document has no array `keys` (RFC 7517, section 5)")
            }
            Self::TooManyKeys => f.write_str("the key set holds more keys than the limit"),
            Self::NoUsableKey(skipped) => match skipped.first() {
                None => f.write_str("the key set is empty"),
                Some(first) => write!(
                    f,
                    "the key set holds no usable key; of the first: {}",
                    first.fault
                ),
            },
        }
    }
}

impl std::error::Error for JwksError {}
