//! The gateway's own keys: the private key that signs, and the public key with its name.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use portcullis_core::jose::base64url;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// The type of the assertions, so that they pass for no other kind of token (RFC 8725, section
/// 3.11).
pub(super) const TYP: &str = "portcullis-assertion+jwt";

/// A key with a name, which is its thumbprint (RFC 7638).
pub(super) struct SigningKey {
    pair: SigningPair,
    /// The encoded JOSE header of every assertion.
    header: Box<str>,
    jwk: Value,
}

enum SigningPair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key on the curve P-256.
    ///
    /// # Errors
    ///
    /// A machine that gives no random numbers.
    pub(super) fn generate() -> Result<Self, &'static str> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let pair = pair.or(Err("this machine gives no random numbers"))?;
        Self::new(SigningPair::P256(pair))
    }

    /// Reads a private key in PEM.
    ///
    /// # Errors
    ///
    /// The expected form. The content is never shown.
    pub(super) fn read(pem: &[u8]) -> Result<Self, &'static str> {
        const EXPECTED: &str = "a private key in PEM, as PKCS#8, on the curve P-256 or for Ed25519";
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).or(Err(EXPECTED))?;
        let der = der.secret_pkcs8_der();
        // The parsers check the algorithm in the file, so a key of another kind fails both.
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Self::new(SigningPair::P256(pair));
        }
        match Ed25519KeyPair::from_pkcs8(der) {
            Ok(pair) => Self::new(SigningPair::Ed25519(pair)),
            Err(_) => Err(EXPECTED),
        }
    }

    fn new(pair: SigningPair) -> Result<Self, &'static str> {
        let (algorithm, mut jwk) = pair.public().ok_or("a public key of the usual form")?;
        // RFC 7638 hashes the required members in the order of their names. A map of serde_json
        // keeps that order, and `public` adds no other member.
        let kid = base64url::encode(digest(&SHA256, jwk.to_string().as_bytes()).as_ref());
        let header = json!({ "alg": algorithm, "kid": kid, "typ": TYP }).to_string();
        if let Some(jwk) = jwk.as_object_mut() {
            for (name, value) in [("alg", algorithm), ("kid", kid.as_str()), ("use", "sig")] {
                jwk.insert(name.to_owned(), value.into());
            }
        }
        Ok(Self {
            pair,
            header: base64url::encode(header.as_bytes()).into(),
            jwk,
        })
    }

    /// The public key (RFC 7517).
    pub(super) fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The claims as a JWT in compact form.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        let payload = base64url::encode(claims.to_string().as_bytes());
        let input = format!("{}.{payload}", self.header);
        let signature = match &self.pair {
            SigningPair::P256(pair) => pair
                .sign(&SystemRandom::new(), input.as_bytes())
                .ok()?,
            SigningPair::Ed25519(pair) => pair.sign(input.as_bytes()),
        };
        let signature = base64url::encode(signature.as_ref());
        Some(format!("{input}.{signature}"))
    }
}

impl SigningPair {
    /// The algorithm, and the public key with the members of its thumbprint.
    fn public(&self) -> Option<(&'static str, Value)> {
        match self {
            Self::P256(pair) => {
                // An uncompressed point: 4, x, y (SEC 1, section 2.3.3).
                let point = pair.public_key().as_ref().strip_prefix(&[4])?;
                let (x, y) = point.split_at_checked(32)?;
                let (x, y) = (base64url::encode(x), base64url::encode(y));
                Some((
                    "ES256",
                    json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y }),
                ))
            }
            Self::Ed25519(pair) => {
                let x = base64url::encode(pair.public_key().as_ref());
                Some(("EdDSA", json!({ "crv": "Ed25519", "kty": "OKP", "x": x })))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::Jwks;
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    fn pem(algorithm: &'static rcgen::SignatureAlgorithm) -> String {
        KeyPair::generate_for(algorithm)
            .unwrap()
            .serialize_pem()
    }

    #[test]
    fn each_kind_of_key_is_published_as_it_signs() {
        for (algorithm, name) in [(&PKCS_ECDSA_P256_SHA256, "ES256"), (&PKCS_ED25519, "EdDSA")] {
            let pem = pem(algorithm);
            let key = SigningKey::read(pem.as_bytes()).unwrap();
            assert_eq!(key.jwk()["alg"], name);
            assert!(key.jwk().get("d").is_none());
            let again = SigningKey::read(pem.as_bytes()).unwrap();
            assert_eq!(
                key.jwk()["kid"],
                again.jwk()["kid"],
                "the name is the key's own"
            );
            let set = json!({ "keys": [key.jwk()] }).to_string();
            assert!(Jwks::parse(set.as_bytes(), &Limits::default()).is_ok());
        }
        assert_ne!(
            SigningKey::generate().unwrap().jwk()["kid"],
            SigningKey::generate().unwrap().jwk()["kid"]
        );
    }

    /// RFC 8037, appendix A.3: the thumbprint of the key of appendix A.2.
    #[test]
    fn the_name_is_the_thumbprint() {
        let pair = Ed25519KeyPair::from_seed_unchecked(
            &base64url::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap(),
        );
        let key = SigningKey::new(SigningPair::Ed25519(pair.unwrap())).unwrap();
        assert_eq!(
            key.jwk()["x"],
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        );
        assert_eq!(
            key.jwk()["kid"],
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn other_files_are_no_keys() {
        for text in [
            String::new(),
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(),
            pem(&PKCS_ECDSA_P384_SHA384),
        ] {
            assert!(SigningKey::read(text.as_bytes()).is_err());
        }
    }
}
