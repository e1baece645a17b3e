//! Signatures of others: clients' assertions and proofs (RFC 7515, section 5.2).
//!
//! It verifies a signature by a given key; the callers check the claims. Signatures by a secret,
//! encrypted objects and critical extensions are refused. It shares nothing with the core on
//! purpose.

use crate::token::claims::JsonObject;
use crate::token::encoding::{base64url, sha256};
use aws_lc_rs::signature;
use aws_lc_rs::signature::{
    EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The supported algorithms.
pub(crate) const ALGORITHMS: [&str; 11] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
];

/// One algorithm by two names: RFC 9864 names it by its curve, and current clients do too.
const ED25519: [&str; 2] = ["EdDSA", "Ed25519"];

const LONGEST: usize = 16_384;

/// A signed object in compact form, read but not yet verified.
pub(crate) struct Jws<'t> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    input: &'t str,
    signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Reads header and claims, which must be objects.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        // Before any decoding, so that a huge text costs nothing.
        if text.len() > LONGEST {
            return None;
        }
        let (input, signature) = text.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let (header, claims) = (object(header)?, object(claims)?);
        // Critical extensions have to be understood, and none is here (RFC 7515, section 4.1.11).
        if header.get("crit").is_some() {
            return None;
        }
        Some(Self {
            header,
            claims,
            input,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// A text claim.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A time claim, in seconds since 1970.
    pub(crate) fn time(&self, claim: &str) -> Option<u64> {
        self.claims.get(claim).and_then(Value::as_u64)
    }

    /// Whether the key made the signature, by the algorithm that the header names and the key
    /// allows.
    pub(crate) fn is_signed_by(&self, jwk: &Value) -> bool {
        let algorithm = member(&self.header, "alg").unwrap_or_default();
        // A key that names its algorithm is good for no other one.
        if member(jwk, "alg").is_some_and(|only| only != algorithm) {
            return false;
        }
        // The type of the key decides too: else the header alone could choose how the key is used
        // (RFC 8725, section 3.1).
        match (member(jwk, "kty"), member(jwk, "crv")) {
            (Some("RSA"), None) => match rsa(algorithm) {
                Some(parameters) => self.by_rsa(parameters, jwk),
                None => false,
            },
            (Some("EC"), Some(curve)) => match ec(algorithm, curve) {
                Some((known, length)) => self.by_ec(known, length, jwk),
                None => false,
            },
            (Some("OKP"), Some("Ed25519")) if ED25519.contains(&algorithm) => {
                self.by(&signature::ED25519, &bytes(jwk, "x"))
            }
            _ => false,
        }
    }

    fn by_ec(
        &self,
        algorithm: &'static EcdsaVerificationAlgorithm,
        length: usize,
        jwk: &Value,
    ) -> bool {
        let (x, y) = (bytes(jwk, "x"), bytes(jwk, "y"));
        // Both coordinates have the full length, leading zeros included.
        if x.len() != length || y.len() != length {
            return false;
        }
        // 4 marks an uncompressed point (SEC 1, section 2.3.3).
        self.by(algorithm, &[&[4], &x[..], &y].concat())
    }

    fn by(&self, algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> bool {
        UnparsedPublicKey::new(algorithm, key)
            .verify(self.input.as_bytes(), &self.signature)
            .is_ok()
    }

    fn by_rsa(&self, parameters: &RsaParameters, jwk: &Value) -> bool {
        let key = RsaPublicKeyComponents {
            n: bytes(jwk, "n"),
            e: bytes(jwk, "e"),
        };
        key.verify(parameters, self.input.as_bytes(), &self.signature)
            .is_ok()
    }
}

/// The SHA-256 thumbprint of a key (RFC 7638), if it has the members that its type needs.
pub(crate) fn thumbprint(jwk: &Value) -> Option<String> {
    // In this order, without spaces: everybody has to hash the same bytes.
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let mut members = Vec::new();
    for name in names {
        let value = jwk.get(name)?.as_str()?;
        members.push(format!("{}:{}", json!(name), json!(value)));
    }
    Some(sha256(format!("{{{}}}", members.join(",")).as_bytes()))
}

fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    // RSA keys below 2048 bits are not allowed (RFC 7518, section 3.3).
    Some(match algorithm {
        "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
        "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
        "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// The algorithm, and how long a coordinate is (RFC 7518, section 6.2.1.2).
fn ec(algorithm: &str, curve: &str) -> Option<(&'static EcdsaVerificationAlgorithm, usize)> {
    // Each algorithm goes with one curve only (RFC 7518, section 3.4).
    Some(match (algorithm, curve) {
        ("ES256", "P-256") => (&signature::ECDSA_P256_SHA256_FIXED, 32),
        ("ES384", "P-384") => (&signature::ECDSA_P384_SHA384_FIXED, 48),
        ("ES512", "P-521") => (&signature::ECDSA_P521_SHA512_FIXED, 66),
        _ => return None,
    })
}

fn member<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.get(name)?.as_str()
}

fn bytes(jwk: &Value, name: &str) -> Vec<u8> {
    let text = jwk
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default();
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}

fn object(segment: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()?;
    value.is_object().then_some(value)
}

/// Header, claims and signature in compact form, whoever signs.
pub(crate) fn compact(
    header: &JsonObject,
    claims: &JsonObject,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let header = base64url(json!(header).to_string().as_bytes());
    let claims = base64url(json!(claims).to_string().as_bytes());
    let input = format!("{header}.{claims}");
    let signature = sign(input.as_bytes());
    format!("{input}.{}", base64url(&signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    #[test]
    fn ed25519_has_two_names() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let x = base64url(pair.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        for (algorithm, is_good) in [("EdDSA", true), ("Ed25519", true), ("Ed448", false)] {
            let mut header = JsonObject::new();
            header.insert("alg".to_owned(), algorithm.into());
            let sign = |input: &[u8]| pair.sign(input).as_ref().to_vec();
            let text = compact(&header, &JsonObject::new(), sign);
            let jws = Jws::read(&text).unwrap();
            assert_eq!(jws.is_signed_by(&jwk), is_good, "{algorithm}");
        }
    }

    #[test]
    fn the_thumbprint_of_rfc_7638() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK\
                  RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAt\
                  aSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPks\
                  INHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        });
        assert_eq!(
            thumbprint(&jwk).as_deref(),
            Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        );
        assert_eq!(thumbprint(&json!({ "kty": "oct", "k": "AA" })), None);
    }
}
