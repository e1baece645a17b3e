//! The signing keys: made, published, rotated, retired.

use crate::dialect::{Beside, Claims, Shape, claims};
use crate::jws::thumbprint;
use crate::key_file::key_pair;
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_core::ConfigErrors;
use portcullis_core::jose::Algorithm;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
pub(crate) struct Keys {
    algorithm: Algorithm,
    shape: &'static dyn Shape,
    published: Mutex<Vec<Arc<SigningKey>>>,
    beside: Option<Arc<SigningKey>>,
    /// The latest that are published no more, the last one first.
    retired: Mutex<Vec<Arc<SigningKey>>>,
    made: AtomicUsize,
}

/// One key pair with its name.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) made: Instant,
    pair: Pair,
}

pub(crate) enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Keys {
    /// The first key is the file's, if there is a file.
    pub(crate) async fn new(
        algorithm: Algorithm,
        shape: &'static dyn Shape,
        file: Option<&Path>,
    ) -> Result<Self, ConfigErrors> {
        let signing = match file {
            Some(file) => Arc::new(SigningKey::of_file(algorithm, file)?),
            None => SigningKey::made(algorithm, shape.kid(0)).await,
        };
        let beside = match shape.beside() {
            Beside::Nothing => None,
            Beside::Encryption => Some(SigningKey::made(Algorithm::RS256, shape.kid(1)).await),
            Beside::IdTokens | Beside::OtherTenant => {
                Some(SigningKey::made(algorithm, shape.kid(1)).await)
            }
        };
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
            Overlap::SameKid => self.signing().kid.clone(),
            Overlap::With | Overlap::Without => self.shape.kid(number),
        };
        let new = SigningKey::made(self.algorithm, kid).await;
        let mut published = self.published();
        let before = published.pop();
        let mut gone = std::mem::take(&mut *published);
        match before {
            Some(key) if overlap == Overlap::With => published.push(key),
            other => gone.extend(other),
        }
        published.push(new);
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        gone.into_iter().for_each(|key| retired.insert(0, key));
        retired.truncate(MOST_RETIRED);
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        #[expect(
            clippy::expect_used,
            reason = "there is a key from the start, and every rotation adds one"
        )]
        let key = self.published().last().cloned().expect("a signing key");
        key
    }

    /// All that are published, the one that signs first.
    pub(crate) fn all(&self) -> Vec<Arc<SigningKey>> {
        self.published()
            .iter()
            .rev()
            .chain(&self.beside)
            .cloned()
            .collect()
    }

    /// The latest that are published no more, the last one first.
    pub(crate) fn retired(&self) -> Vec<Arc<SigningKey>> {
        self.retired
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The key that signs ID tokens: mostly the same one.
    pub(crate) fn signing_id_tokens(&self) -> Arc<SigningKey> {
        self.beside_for(Beside::IdTokens)
            .unwrap_or_else(|| self.signing())
    }

    /// The key beside, if it is there for that.
    pub(crate) fn beside_for(&self, purpose: Beside) -> Option<Arc<SigningKey>> {
        self.beside
            .clone()
            .filter(|_| self.shape.beside() == purpose)
    }

    /// The public key set (RFC 7517, section 5) of an issuer; `other` is the issuer of the key
    /// beside, if it has one.
    pub(crate) fn jwks(&self, issuer: &str, other: &str) -> Claims {
        let dressed = |key: &SigningKey, issuer: &str| {
            let mut jwk = key.jwk();
            self.shape.dress_key(&mut jwk, issuer);
            jwk
        };
        let mut keys: Vec<Claims> = self
            .published()
            .iter()
            .rev()
            .map(|key| dressed(key, issuer))
            .collect();
        keys.extend(self.beside.as_deref().map(|key| match self.shape.beside() {
            Beside::Encryption => key.encryption_jwk(),
            Beside::OtherTenant => dressed(key, other),
            Beside::IdTokens | Beside::Nothing => dressed(key, issuer),
        }));
        let mut set = claims(json!({ "keys": keys }));
        self.shape.dress_key_set(&mut set, &self.signing());
        set
    }

    fn published(&self) -> MutexGuard<'_, Vec<Arc<SigningKey>>> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl SigningKey {
    /// Makes a key away from the async threads: an RSA key takes its time.
    pub(crate) async fn made(algorithm: Algorithm, kid: String) -> Arc<Self> {
        #[expect(
            clippy::expect_used,
            reason = "fails only without randomness or memory, or when the runtime ends"
        )]
        let pair = tokio::task::spawn_blocking(move || pair(algorithm))
            .await
            .expect("a key pair");
        Arc::new(Self {
            kid,
            algorithm,
            made: Instant::now(),
            pair,
        })
    }

    /// The key of a file, named by its thumbprint (RFC 7638).
    fn of_file(algorithm: Algorithm, file: &Path) -> Result<Self, ConfigErrors> {
        let key = Self {
            kid: String::new(),
            algorithm,
            made: Instant::now(),
            pair: key_pair(file, algorithm)?,
        };
        let kid = thumbprint(&key.jwk().into()).unwrap_or_default();
        Ok(Self { kid, ..key })
    }

    /// Makes a key at once, which may take a moment.
    pub(crate) fn made_here(algorithm: Algorithm, kid: String) -> Self {
        Self {
            kid,
            algorithm,
            made: Instant::now(),
            pair: pair(algorithm),
        }
    }

    /// A signed object in compact form (RFC 7515, section 3.1).
    pub(crate) fn jws(&self, header: &Claims, claims: &Claims) -> String {
        compact(header, claims, |input| self.sign(input))
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
                pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            Pair::Ec(pair) => pair
                .sign(&SystemRandom::new(), message)
                .expect("an ECDSA signature")
                .as_ref()
                .to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key (RFC 7517, section 4).
    pub(crate) fn jwk(&self) -> Claims {
        let mut jwk = claims(match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "n": encoded(modulus), "e": encoded(exponent) })
            }
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({
                    "kty": "EC",
                    "crv": curve(self.algorithm),
                    "x": encoded(x),
                    "y": encoded(y),
                })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref()) })
            }
        });
        jwk.insert("kid".to_owned(), json!(self.kid));
        jwk.insert("use".to_owned(), json!("sig"));
        jwk.insert("alg".to_owned(), json!(self.algorithm.name()));
        jwk
    }

    /// The same key, for encryption.
    fn encryption_jwk(&self) -> Claims {
        let mut jwk = self.jwk();
        jwk.insert("use".to_owned(), json!("enc"));
        jwk.insert("alg".to_owned(), json!("RSA-OAEP"));
        jwk
    }

    /// The public key as PEM (RFC 7468, section 13).
    #[expect(clippy::expect_used, reason = "fails only without memory")]
    pub(crate) fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ec(pair) => pair.public_key().as_der(),
            Pair::Ed(pair) => pair.public_key().as_der(),
        }
        .expect("a public key");
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der.as_ref())
        )
    }
}

/// Header, claims and signature in compact form, whoever signs.
pub(crate) fn compact(
    header: &Claims,
    claims: &Claims,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let segment = |members: &Claims| encoded(json!(members).to_string().as_bytes());
    let input = format!("{}.{}", segment(header), segment(claims));
    let signature = sign(input.as_bytes());
    format!("{input}.{}", encoded(&signature))
}

#[expect(
    clippy::expect_used,
    reason = "fails only without randomness or memory"
)]
pub(crate) fn pair(algorithm: Algorithm) -> Pair {
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
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing here is safe"
)]
pub(crate) fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    SystemRandom::new().fill(&mut random).expect("randomness");
    encoded(&random)
}
