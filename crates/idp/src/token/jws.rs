//! What others signed: clients' assertions and proofs (RFC 7515, section 5.2).
//!
//! It reads and checks a signature by a key that is given; what the claims must say, each use
//! decides. Signatures by a secret, encrypted objects and critical extensions are refused. On
//! purpose it shares nothing with the core.

use crate::token::claims::Claims;
use crate::token::encoding::{encoded, sha256};
use aws_lc_rs::signature;
use aws_lc_rs::signature::{
    EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The algorithms that are understood.
pub(crate) const ALGORITHMS: [&str; 10] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

const LONGEST: usize = 16_384;

/// A signed object in compact form, read but not yet believed.
pub(crate) struct Jws<'t> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    input: &'t str,
    signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Reads header and claims, which must be objects.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        let (input, signature) = (text.len() <= LONGEST).then(|| text.rsplit_once('.'))??;
        let (header, claims) = input.split_once('.')?;
        let (header, claims) = (object(header)?, object(claims)?);
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        header.get("crit").is_none().then_some(Self {
            header,
            claims,
            input,
            signature,
        })
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A claim that is a time.
    pub(crate) fn time(&self, claim: &str) -> Option<u64> {
        self.claims.get(claim).and_then(Value::as_u64)
    }

    /// Whether the key made the signature, by the algorithm that the header names and the key
    /// allows.
    pub(crate) fn is_signed_by(&self, jwk: &Value) -> bool {
        let algorithm = self
            .header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let allowed = member("alg").is_none_or(|alg| alg == algorithm);
        allowed
            && match (member("kty"), member("crv")) {
                (Some("RSA"), None) => rsa(algorithm).is_some_and(|known| self.by_rsa(known, jwk)),
                (Some("EC"), Some(curve)) => ec(algorithm, curve).is_some_and(|(known, length)| {
                    let (x, y) = (bytes(jwk, "x"), bytes(jwk, "y"));
                    x.len() == length
                        && y.len() == length
                        && self.by(known, &[&[4], &x[..], &y].concat())
                }),
                (Some("OKP"), Some("Ed25519")) if algorithm == "EdDSA" => {
                    self.by(&signature::ED25519, &bytes(jwk, "x"))
                }
                _ => false,
            }
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
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let member = |name: &&str| {
        jwk.get(name)?
            .as_str()
            .map(|value| format!("{}:{}", json!(name), json!(value)))
    };
    let members: Vec<String> = names.iter().map(member).collect::<Option<_>>()?;
    Some(sha256(format!("{{{}}}", members.join(",")).as_bytes()))
}

fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
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
    Some(match (algorithm, curve) {
        ("ES256", "P-256") => (&signature::ECDSA_P256_SHA256_FIXED, 32),
        ("ES384", "P-384") => (&signature::ECDSA_P384_SHA384_FIXED, 48),
        ("ES512", "P-521") => (&signature::ECDSA_P521_SHA512_FIXED, 66),
        _ => return None,
    })
}

fn bytes(jwk: &Value, name: &str) -> Vec<u8> {
    let text = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}

fn object(segment: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()?;
    value.is_object().then_some(value)
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

#[cfg(test)]
mod tests {
    use super::*;

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
