//! The signing keys: made, published, rotated, retired.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::jose::Algorithm;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether the old key stays published when a new one takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// The old key stays published beside the new one, once.
    With,
    /// The old key disappears at once.
    Without,
}

/// The keys of a provider: the last one signs.
pub(crate) struct Keys {
    algorithm: Algorithm,
    published: Mutex<Vec<Arc<SigningKey>>>,
}

/// One key pair with its name.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Keys {
    pub(crate) async fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, published: Mutex::new(vec![SigningKey::made(algorithm).await]) }
    }

    /// Takes a new key into use.
    pub(crate) async fn rotate(&self, overlap: Overlap) {
        let new = SigningKey::made(self.algorithm).await;
        let mut published = self.published();
        let before = published.pop();
        published.clear();
        published.extend(before.filter(|_| overlap == Overlap::With));
        published.push(new);
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        #[expect(clippy::expect_used, reason = "there is a key from the start, and every rotation adds one")]
        let key = self.published().last().cloned().expect("a signing key");
        key
    }

    /// The public key set (RFC 7517, section 5).
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.published().iter().rev().map(|key| key.jwk()).collect::<Vec<_>>() })
    }

    fn published(&self) -> MutexGuard<'_, Vec<Arc<SigningKey>>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SigningKey {
    /// Makes a key away from the async threads: an RSA key takes its time.
    pub(crate) async fn made(algorithm: Algorithm) -> Arc<Self> {
        #[expect(
            clippy::expect_used,
            reason = "fails only without randomness or memory, or when the runtime ends"
        )]
        let pair = tokio::task::spawn_blocking(move || pair(algorithm)).await.expect("a key pair");
        Arc::new(Self { kid: random_text(12), algorithm, pair })
    }

    /// Signs, in the form that JWS wants (RFC 7518, section 3).
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        #[expect(
            clippy::expect_used,
            reason = "the padding fits the key, and a 2048-bit modulus fits every digest"
        )]
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = rsa_padding(self.algorithm);
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).expect("an RSA signature");
                signature
            }
            Pair::Ec(pair) => {
                pair.sign(&SystemRandom::new(), message).expect("an ECDSA signature").as_ref().to_vec()
            }
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key (RFC 7517, section 4).
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "n": encoded(modulus), "e": encoded(exponent) })
            }
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve(self.algorithm), "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref()) })
            }
        };
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".to_owned(), json!(self.kid));
            members.insert("use".to_owned(), json!("sig"));
            members.insert("alg".to_owned(), json!(self.algorithm.name()));
        }
        jwk
    }
}

#[expect(clippy::expect_used, reason = "fails only without randomness or memory")]
fn pair(algorithm: Algorithm) -> Pair {
    use Algorithm::{ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let ec = |signing| Pair::Ec(EcdsaKeyPair::generate(signing).expect("an EC key"));
    match algorithm {
        RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => {
            Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
        }
        ES256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        ES384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        ES512 => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        EdDSA => Pair::Ed(Ed25519KeyPair::generate().expect("an Ed25519 key")),
    }
}

fn rsa_padding(algorithm: Algorithm) -> &'static dyn signature::RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

fn curve(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES384 => "P-384",
        Algorithm::ES512 => "P-521",
        _ => "P-256",
    }
}

pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A text that nobody can guess, out of so many random bytes.
#[expect(clippy::expect_used, reason = "without randomness nothing here is safe")]
pub(crate) fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    SystemRandom::new().fill(&mut random).expect("randomness");
    encoded(&random)
}
