//! A key of a client, and proofs of DPoP that it signs, good ones and others (RFC 9449, section 4.2).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use portcullis_core::jose::base64url;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// A P-256 key of a client.
pub struct ProofKey {
    pair: EcdsaKeyPair,
    proofs: AtomicU64,
}

impl ProofKey {
    #[expect(clippy::new_without_default, reason = "each one is another key")]
    pub fn new() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        Self {
            pair: EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap(),
            proofs: AtomicU64::new(0),
        }
    }

    fn coordinates(&self) -> (String, String) {
        let point = self.pair.public_key().as_ref();
        (
            base64url::encode(&point[1..33]),
            base64url::encode(&point[33..65]),
        )
    }

    /// What tokens are bound to: `cnf.jkt`.
    pub fn thumbprint(&self) -> String {
        let (x, y) = self.coordinates();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        base64url::encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }

    /// The claims of a good proof for a request with this token, each time with another `jti`.
    pub fn claims(&self, method: &str, url: &str, token: &str, now: i64) -> Value {
        let number = self.proofs.fetch_add(1, Ordering::Relaxed);
        let ath = base64url::encode(digest(&SHA256, token.as_bytes()).as_ref());
        json!({ "jti": format!("proof-{number}"), "htm": method, "htu": url, "iat": now, "ath": ath })
    }

    /// The header of a good proof.
    pub fn header(&self) -> Value {
        let (x, y) = self.coordinates();
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk })
    }

    /// A proof with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    /// A proof with these claims and another header, whatever it says.
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| base64url::encode(value.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes());
        format!("{input}.{}", base64url::encode(signature.unwrap().as_ref()))
    }
}
