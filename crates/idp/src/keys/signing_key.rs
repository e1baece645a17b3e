//! One signing key: its name, its public forms, its signatures.

use crate::keys::file::key_pair;
use crate::keys::pair::{SigningKeyPair, pair};
use crate::token::claims::{JsonObject, claims};
use crate::token::encoding::base64url;
use crate::token::jws::{compact, thumbprint};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::ConfigErrors;
use portcullis_core::jose::Algorithm;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// One key pair with its name.
pub(crate) struct IssuerKey {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) made: Instant,
    pair: SigningKeyPair,
}

impl IssuerKey {
    /// Makes a key away from the async threads: an RSA key takes its time.
    pub(crate) async fn generate(algorithm: Algorithm, kid: String) -> Arc<Self> {
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
    pub(crate) fn of_file(algorithm: Algorithm, file: &Path) -> Result<Self, ConfigErrors> {
        let key = Self {
            kid: String::new(),
            algorithm,
            made: Instant::now(),
            pair: key_pair(file, algorithm)?,
        };
        // The thumbprint is the same after a restart, and so is the `kid`.
        let kid = thumbprint(&key.jwk().into()).unwrap_or_default();
        Ok(Self { kid, ..key })
    }

    /// Makes a key at once, which may take a moment.
    pub(crate) fn generate_now(algorithm: Algorithm, kid: String) -> Self {
        Self {
            kid,
            algorithm,
            made: Instant::now(),
            pair: pair(algorithm),
        }
    }

    /// A signed object in compact form (RFC 7515, section 3.1).
    pub(crate) fn jws(&self, header: &JsonObject, claims: &JsonObject) -> String {
        compact(header, claims, |input| self.sign(input))
    }

    /// Signs, in the form that JWS wants (RFC 7518, section 3).
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        #[expect(
            clippy::expect_used,
            reason = "the padding fits the key, and a 2048-bit modulus fits every digest"
        )]
        match &self.pair {
            SigningKeyPair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = rsa_padding(self.algorithm);
                pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            SigningKeyPair::Ec(pair) => pair
                .sign(&SystemRandom::new(), message)
                .expect("an ECDSA signature")
                .as_ref()
                .to_vec(),
            SigningKeyPair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key (RFC 7517, section 4).
    pub(crate) fn jwk(&self) -> JsonObject {
        let mut jwk = claims(match &self.pair {
            SigningKeyPair::Rsa(pair) => {
                let public = pair.public_key();
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "n": base64url(modulus), "e": base64url(exponent) })
            }
            SigningKeyPair::Ec(pair) => {
                // The first byte marks an uncompressed point (SEC 1, section 2.3.3).
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({
                    "kty": "EC",
                    "crv": curve(self.algorithm),
                    "x": base64url(x),
                    "y": base64url(y),
                })
            }
            SigningKeyPair::Ed(pair) => {
                let x = base64url(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
        });
        jwk.insert("kid".to_owned(), json!(self.kid));
        jwk.insert("use".to_owned(), json!("sig"));
        jwk.insert("alg".to_owned(), json!(self.algorithm.name()));
        jwk
    }

    /// The same key, for encryption.
    pub(crate) fn encryption_jwk(&self) -> JsonObject {
        let mut jwk = self.jwk();
        jwk.insert("use".to_owned(), json!("enc"));
        // No signature must verify under it: validators have to filter by `use`.
        jwk.insert("alg".to_owned(), json!("RSA-OAEP"));
        jwk
    }

    /// The public key as PEM (RFC 7468, section 13).
    #[expect(clippy::expect_used, reason = "fails only without memory")]
    pub(crate) fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = match &self.pair {
            SigningKeyPair::Rsa(pair) => pair.public_key().as_der(),
            SigningKeyPair::Ec(pair) => pair.public_key().as_der(),
            SigningKeyPair::Ed(pair) => pair.public_key().as_der(),
        }
        .expect("a public key");
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der.as_ref())
        )
    }
}

fn rsa_padding(algorithm: Algorithm) -> &'static dyn signature::RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        // Only RS256 is left, because signatures by EC and Ed25519 keys have no padding.
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
