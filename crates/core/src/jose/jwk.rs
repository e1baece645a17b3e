//! One public key (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2), parsed once.
//!
//! Refuses: private and symmetric keys, keys for encryption, keys whose `alg` does not fit their
//! type, RSA below 2048 or above 8192 bits or with an even exponent, points off their curve, and
//! Ed25519 keys of small order. Missing or additional leading zeros are harmless.
//! `x5c`, `x5u` and `x5t` are ignored: the key is what the members say. A member that is `null` is
//! absent, as several providers write it.

use super::json::{Json, Object, Text};
use super::jwk_fault::JwkFault;
use super::jwk_member::{member, text};
use super::key_material::{self, Material};
use super::{Algorithm, base64url};
use aws_lc_rs::digest;
use aws_lc_rs::signature::ParsedPublicKey;
use std::fmt;
use std::sync::Arc;

/// A public key that verifies signatures. Clones share one key.
#[derive(Clone)]
pub struct VerifyingKey(Arc<SharedKey>);

/// One parsed form for each algorithm that a key may be used with.
type Uses = Vec<(Algorithm, ParsedPublicKey)>;

struct SharedKey {
    kid: Option<Text>,
    uses: Uses,
    issuer: Option<Text>,
    fingerprint: [u8; 32],
}

impl VerifyingKey {
    /// Reads a key from one element of a key set.
    ///
    /// # Errors
    ///
    /// Why the key is of no use for verifying signatures.
    pub fn from_jwk(jwk: &Json) -> Result<Self, JwkFault> {
        let jwk = jwk.as_object().ok_or(JwkFault::NotAnObject)?;
        check_purpose(jwk)?;
        let material = Material::from_jwk(jwk)?;
        let uses = uses(jwk, &material)?;
        let (kid, issuer) = (text(jwk, "kid")?, text(jwk, "issuer")?);
        let fingerprint = fingerprint([kid.as_deref(), issuer.as_deref()], &uses, &material);
        Ok(Self(Arc::new(SharedKey {
            kid,
            uses,
            issuer,
            fingerprint,
        })))
    }

    /// `kid`: the issuer's name for the key.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// `issuer`, if the set says whose key this is: a member that Entra ID writes, which may be a
    /// template.
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// The algorithms that the key may be used with: the one of `alg`, else all that fit its type.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.0.uses.iter().map(|(algorithm, _)| *algorithm)
    }

    /// SHA-256 over the key, its `kid`, its `issuer` and its algorithms. Keys that agree in all of
    /// these have the same fingerprint.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.0.fingerprint
    }

    /// Whether the key may be used with this algorithm.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.parsed_for(algorithm).is_some()
    }

    pub(super) fn parsed_for(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        for (allowed, key) in &self.0.uses {
            if *allowed == algorithm {
                return Some(key);
            }
        }
        None
    }
}

/// `use`, `key_ops` and private members (RFC 7517, sections 4.2, 4.3 and 9.2).
pub(super) fn check_purpose(jwk: &Object) -> Result<(), JwkFault> {
    // A published private key is compromised: whoever fetched the set can sign with it.
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        if member(jwk, name).is_some() {
            return Err(JwkFault::Secret);
        }
    }
    match member(jwk, "use") {
        None => {}
        Some(Json::String(purpose)) if **purpose == *"sig" => {}
        Some(_) => return Err(JwkFault::NotForSignatures),
    }
    let operations = match member(jwk, "key_ops") {
        None => return Ok(()),
        Some(Json::Array(operations)) => operations,
        Some(_) => return Err(JwkFault::NotForSignatures),
    };
    if operations.contains(&Json::from("verify")) {
        Ok(())
    } else {
        Err(JwkFault::NotForSignatures)
    }
}

/// The algorithms that the key may be used with. Without `alg`, those are all that fit its type: an
/// RSA key then verifies six of them, and the profile narrows the choice.
fn algorithms(jwk: &Object, material: &Material) -> Result<Vec<Algorithm>, JwkFault> {
    let fitting = material.fitting_algorithms();
    let Some(name) = text(jwk, "alg")? else {
        return Ok(fitting.to_vec());
    };
    match Algorithm::from_name(&name) {
        Some(algorithm) if fitting.contains(&algorithm) => Ok(vec![algorithm]),
        _ => Err(JwkFault::Algorithm),
    }
}

/// The parsed forms of a key, one for each algorithm.
fn uses(jwk: &Object, material: &Material) -> Result<Uses, JwkFault> {
    let mut uses = Vec::new();
    for algorithm in algorithms(jwk, material)? {
        uses.push((algorithm, key_material::parse(material, algorithm)?));
    }
    Ok(uses)
}

fn fingerprint(
    names: [Option<&str>; 2],
    uses: &[(Algorithm, ParsedPublicKey)],
    material: &Material,
) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    // Each part goes in with its length, or two keys could run together into the same bytes.
    for name in names {
        // An empty name is a name.
        context.update(&[u8::from(name.is_some())]);
        let name = name.unwrap_or_default().as_bytes();
        context.update(&name.len().to_be_bytes());
        context.update(name);
    }
    for part in material.parts() {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    // A key that is narrowed to one algorithm is no longer the key that verified another.
    for (algorithm, _) in uses {
        context.update(algorithm.name().as_bytes());
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.algorithms().map(Algorithm::name).collect();
        write!(
            f,
            "a key for {}, {}",
            names.join(" or "),
            base64url::encode(self.fingerprint())
        )
    }
}
