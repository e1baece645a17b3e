//! A client's signed assertion (RFC 7523, section 3): short-lived, for one addressee, never the
//! same twice.

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

/// For how long an assertion is good.
const LIFE: i64 = 60;

impl Assertion {
    /// Reads a private key in PEM (PKCS#8). An RSA key signs with RS256 unless `algorithm` says
    /// PS256; of the others each has one algorithm. The key is named by `kid`, or by the thumbprint
    /// of its certificate, as Entra ID wants.
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
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem)
            .map_err(|_| "a private key in PEM, as PKCS#8")?;
        let (key, algorithm) = AssertionKey::read(der.secret_pkcs8_der(), algorithm)?;
        let mut header = Map::new();
        header.insert("alg".to_owned(), algorithm.name().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Some(kid) = kid {
            header.insert("kid".to_owned(), kid.into());
        }
        if let Some(pem) = certificate {
            let der = CertificateDer::from_pem_slice(pem).map_err(|_| "a certificate in PEM")?;
            header.insert(
                "x5t#S256".to_owned(),
                base64url::encode(digest(&SHA256, &der).as_ref()).into(),
            );
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
        let mut unique = [0; 16];
        SystemRandom::new()
            .fill(&mut unique)
            .map_err(|_| "this machine gives no random numbers")?;
        let claims = json!({
            "iss": client,
            "sub": client,
            "aud": audience,
            "iat": now.seconds(),
            "exp": now.plus(LIFE).seconds(),
            "jti": base64url::encode(&unique),
        });
        let input = format!(
            "{}.{}",
            self.header,
            base64url::encode(claims.to_string().as_bytes())
        );
        let signature = self
            .key
            .sign(input.as_bytes())
            .ok_or("the assertion could not be signed")?;
        Ok(format!("{input}.{}", base64url::encode(&signature)))
    }
}

impl AssertionKey {
    fn read(der: &[u8], algorithm: Option<Algorithm>) -> Result<(Self, Algorithm), &'static str> {
        let fits = |own: Algorithm| algorithm.is_none_or(|wanted| wanted == own);
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
            if pair.public_modulus_len() < 256 {
                return Err("an RSA key of 2,048 bits at least");
            }
            return match algorithm {
                None | Some(Algorithm::RS256) => Ok((
                    Self::Rsa(Box::new(pair), &RSA_PKCS1_SHA256),
                    Algorithm::RS256,
                )),
                Some(Algorithm::PS256) => {
                    Ok((Self::Rsa(Box::new(pair), &RSA_PSS_SHA256), Algorithm::PS256))
                }
                Some(_) => Err("RS256 or PS256, as the key is an RSA key"),
            };
        }
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return fits(Algorithm::ES256)
                .then(|| (Self::P256(Box::new(pair)), Algorithm::ES256))
                .ok_or("ES256, as the key is on the curve P-256");
        }
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| "an RSA, P-256 or Ed25519 key")?;
        fits(Algorithm::EdDSA)
            .then(|| (Self::Ed25519(Box::new(pair)), Algorithm::EdDSA))
            .ok_or("EdDSA, as the key is an Ed25519 key")
    }

    fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &random, input, &mut signature).ok()?;
                Some(signature)
            }
            Self::P256(pair) => Some(pair.sign(&random, input).ok()?.as_ref().to_vec()),
            Self::Ed25519(pair) => Some(pair.sign(input).as_ref().to_vec()),
        }
    }
}
