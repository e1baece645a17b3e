//! A client's signed assertion (RFC 7523, section 3): short-lived, for one audience, never the same
//! twice.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding,
};
use portcullis_core::jose::{Algorithm, base64url};
use portcullis_core::token::NumericDate;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;

/// A key, and the header of what it signs.
#[derive(Clone)]
pub struct Assertion {
    key: Arc<AssertionKey>,
    header: Box<str>,
}

enum AssertionKey {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// Shows nothing of the key.
impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a private key")
    }
}

/// How long an assertion is good, in seconds. It is sent at once, so more would only help a thief.
const LIFE: i64 = 60;

impl Assertion {
    /// Reads a private key in PEM (PKCS#8). An RSA key signs with RS256 unless `algorithm` says
    /// PS256; every other kind of key has one algorithm. The header names the key by `kid`, and by
    /// the thumbprint of its certificate, which Entra ID demands.
    ///
    /// # Errors
    ///
    /// What was expected of the key, the algorithm or the certificate.
    pub fn read(
        pem: &[u8],
        algorithm: Option<Algorithm>,
        kid: Option<&str>,
        certificate: Option<&[u8]>,
    ) -> Result<Self, &'static str> {
        // The parser's own errors could quote the key, so they are dropped.
        let Ok(der) = PrivatePkcs8KeyDer::from_pem_slice(pem) else {
            return Err("a private key in PEM, as PKCS#8");
        };
        let (key, algorithm) = AssertionKey::read(der.secret_pkcs8_der(), algorithm)?;
        let mut header = Map::new();
        header.insert("alg".to_owned(), algorithm.name().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Some(kid) = kid {
            header.insert("kid".to_owned(), kid.into());
        }
        if let Some(pem) = certificate {
            let Ok(der) = CertificateDer::from_pem_slice(pem) else {
                return Err("a certificate in PEM");
            };
            let thumbprint = base64url::encode(digest(&SHA256, &der).as_ref());
            header.insert("x5t#S256".to_owned(), thumbprint.into());
        }
        let header = base64url::encode(Value::Object(header).to_string().as_bytes());
        Ok(Self {
            key: Arc::new(key),
            header: header.into(),
        })
    }

    /// An assertion of this client for `audience`.
    ///
    /// # Errors
    ///
    /// A machine that gives no random numbers, or cannot sign.
    pub(super) fn sign(
        &self,
        client: &str,
        audience: &str,
        now: NumericDate,
    ) -> Result<String, String> {
        // A `jti` that nobody can guess or repeat: servers refuse one that they saw before.
        let mut unique = [0; 16];
        if SystemRandom::new().fill(&mut unique).is_err() {
            return Err("this machine gives no random numbers".to_owned());
        }
        let claims = json!({
            "iss": client,
            "sub": client,
            "aud": audience,
            "iat": now.seconds(),
            "exp": now.plus(LIFE).seconds(),
            "jti": base64url::encode(&unique),
        });
        let payload = base64url::encode(claims.to_string().as_bytes());
        let input = format!("{}.{payload}", self.header);
        let Some(signature) = self.key.sign(input.as_bytes()) else {
            return Err("the assertion could not be signed".to_owned());
        };
        Ok(format!("{input}.{}", base64url::encode(&signature)))
    }
}

impl AssertionKey {
    fn read(der: &[u8], algorithm: Option<Algorithm>) -> Result<(Self, Algorithm), &'static str> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
            return Self::rsa(pair, algorithm);
        }
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return match algorithm {
                None | Some(Algorithm::ES256) => Ok((Self::P256(Box::new(pair)), Algorithm::ES256)),
                Some(_) => Err("ES256, as the key is on the curve P-256"),
            };
        }
        let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) else {
            return Err("an RSA, P-256 or Ed25519 key");
        };
        match algorithm {
            None | Some(Algorithm::EdDSA) => Ok((Self::Ed25519(Box::new(pair)), Algorithm::EdDSA)),
            Some(_) => Err("EdDSA, as the key is an Ed25519 key"),
        }
    }

    fn rsa(
        pair: RsaKeyPair,
        algorithm: Option<Algorithm>,
    ) -> Result<(Self, Algorithm), &'static str> {
        // RFC 7518, section 3.3: smaller keys must not be used.
        if pair.public_modulus_len() < 256 {
            return Err("an RSA key of 2,048 bits at least");
        }
        let (padding, algorithm): (&dyn RsaEncoding, Algorithm) = match algorithm {
            None | Some(Algorithm::RS256) => (&RSA_PKCS1_SHA256, Algorithm::RS256),
            Some(Algorithm::PS256) => (&RSA_PSS_SHA256, Algorithm::PS256),
            Some(_) => return Err("RS256 or PS256, as the key is an RSA key"),
        };
        Ok((Self::Rsa(Box::new(pair), padding), algorithm))
    }

    fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &random, input, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::P256(pair) => Some(pair.sign(&random, input).ok()?.as_ref().to_vec()),
            Self::Ed25519(pair) => Some(pair.sign(input).as_ref().to_vec()),
        }
    }
}
