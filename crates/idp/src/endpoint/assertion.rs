//! Clients that authenticate by a signed assertion (RFC 7523, section 3): `private_key_jwt`.
//!
//! The signature must be by the key in the client's settings; the assertion must be for this provider, last an hour
//! at most, and be used once.

use super::error::OAuthError;
use crate::config::Client;
use crate::state::State;
use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// What `client_assertion_type` must be.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(super) const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

const LONGEST: usize = 16_384;
const LONGEST_LIFE: u64 = 3_600;
const LEEWAY: u64 = 60;

/// The client that an assertion proves.
pub(super) fn client<'s>(state: &'s State, assertion: &str) -> Result<&'s Client, OAuthError> {
    proven(state, assertion).ok_or_else(OAuthError::invalid_client)
}

fn proven<'s>(state: &'s State, assertion: &str) -> Option<&'s Client> {
    let (input, signature) = (assertion.len() <= LONGEST).then(|| assertion.rsplit_once('.'))??;
    let (header, claims) = input.split_once('.')?;
    let (header, claims) = (object(header)?, object(claims)?);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| claims.get(name).and_then(Value::as_u64);
    let client = text("sub").filter(|sub| text("iss") == Some(sub)).and_then(|sub| state.client(sub))?;
    let algorithm = header.get("alg").and_then(Value::as_str)?;
    is_signed(client.jwk.as_ref()?, algorithm, input, &URL_SAFE_NO_PAD.decode(signature).ok()?)
        .then_some(())?;
    let (now, expires) = (state.now(), number("exp")?);
    let begun = ["nbf", "iat"].into_iter().filter_map(number).all(|time| time <= now + LEEWAY);
    let timely = begun && now < expires && expires <= now + LONGEST_LIFE + LEEWAY;
    let ours = is_for_us(state, claims.get("aud")?);
    let first = || text("jti").is_some_and(|jti| state.store().is_first_use(&client.id, jti, expires, now));
    (timely && ours && first()).then_some(client)
}

/// The issuer, or one of the endpoints: clients differ in what they write (RFC 7523, section 3).
fn is_for_us(state: &State, audience: &Value) -> bool {
    let endpoints = &state.endpoints;
    let theirs = [&endpoints.token, &endpoints.introspect, &endpoints.revoke].into_iter().flatten();
    let paths = theirs.map(String::as_str).chain(["/token", "/introspect", "/revoke"]);
    let ours: Vec<String> = paths.map(|path| state.url(path)).chain([state.issuer.to_string()]).collect();
    let is_ours =
        |value: &Value| value.as_str().is_some_and(|audience| ours.iter().any(|our| our == audience));
    is_ours(audience) || audience.as_array().is_some_and(|all| all.iter().any(is_ours))
}

fn is_signed(jwk: &Value, algorithm: &str, input: &str, signature: &[u8]) -> bool {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes =
        |name: &str| member(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
    let by = |known: &'static dyn VerificationAlgorithm, key: Vec<u8>| {
        UnparsedPublicKey::new(known, key).verify(input.as_bytes(), signature).is_ok()
    };
    let rsa = |parameters| {
        let key = RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
        key.verify(parameters, input.as_bytes(), signature).is_ok()
    };
    if member("alg").is_some_and(|alg| alg != algorithm) {
        return false;
    }
    match (algorithm, member("kty"), member("crv")) {
        ("RS256", Some("RSA"), _) => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        ("PS256", Some("RSA"), _) => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        ("ES256", Some("EC"), Some("P-256")) => {
            by(&signature::ECDSA_P256_SHA256_FIXED, [vec![4], bytes("x"), bytes("y")].concat())
        }
        ("EdDSA", Some("OKP"), Some("Ed25519")) => by(&signature::ED25519, bytes("x")),
        _ => false,
    }
}

fn object(segment: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()?;
    value.is_object().then_some(value)
}
