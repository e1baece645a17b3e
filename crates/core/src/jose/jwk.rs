//! One public key (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2), parsed once.
//!
//! Refuses: private and symmetric keys, keys for encryption, keys whose `alg` does not fit their
//! type, RSA below 2048 or above 8192 bits or with an odd exponent's opposite, points off their
//! curve, and Ed25519 keys of small order. Leading zeros that are missing or too many are harmless.
//! `x5c`, `x5u` and `x5t` are ignored: the key is what the members say. A member that is `null` is
//! absent, as several providers write it.

use super::json::{Json, Object, Text};
use super::key_material::{self, Material};
use super::{Algorithm, base64url};
use aws_lc_rs::digest;
use aws_lc_rs::signature::ParsedPublicKey;
use std::fmt;
use std::sync::Arc;

/// A public key that verifies signatures. Clones share one key.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Parsed>);

struct Parsed {
    kid: Option<Text>,
    /// One parsed form for each algorithm that the key may be used with.
    uses: Vec<(Algorithm, ParsedPublicKey)>,
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
        let uses = algorithms(jwk, &material)?
            .into_iter()
            .map(|algorithm| Ok((algorithm, key_material::parse(&material, algorithm)?)))
            .collect::<Result<Vec<_>, JwkFault>>()?;
        let (kid, issuer) = (text(jwk, "kid")?, text(jwk, "issuer")?);
        let fingerprint = fingerprint([kid.as_deref(), issuer.as_deref()], &uses, &material);
        Ok(Self(Arc::new(Parsed {
            kid,
            uses,
            issuer,
            fingerprint,
        })))
    }

    /// `kid`, as the issuer names the key.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// `issuer`, where the set says whose key this is: a member of Entra ID, which may name a
    /// template.
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// The algorithms that the key may be used with: the one of `alg`, else all that fit its type.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.0.uses.iter().map(|(algorithm, _)| *algorithm)
    }

    /// SHA-256 over the key, its `kid`, its `issuer` and its algorithms: equal keys in two sets
    /// have equal fingerprints, and keys that differ in any of it have different ones.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.0.fingerprint
    }

    /// Whether the key may be used with this algorithm.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms().any(|allowed| allowed == algorithm)
    }

    pub(super) fn parsed_for(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.0
            .uses
            .iter()
            .find(|(allowed, _)| *allowed == algorithm)
            .map(|(_, key)| key)
    }
}

/// `use`, `key_ops` and private members (RFC 7517, sections 4.2, 4.3 and 9.2).
fn check_purpose(jwk: &Object) -> Result<(), JwkFault> {
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
        .iter()
        .any(|name| member(jwk, name).is_some())
    {
        return Err(JwkFault::Secret);
    }
    match member(jwk, "use") {
        None => {}
        Some(Json::String(purpose)) if **purpose == *"sig" => {}
        Some(_) => return Err(JwkFault::NotForSignatures),
    }
    match member(jwk, "key_ops") {
        None => Ok(()),
        Some(Json::Array(operations))
            if operations.iter().any(|op| op.as_str() == Some("verify")) =>
        {
            Ok(())
        }
        Some(_) => Err(JwkFault::NotForSignatures),
    }
}

/// A member of a key; `null` counts as absent.
pub(super) fn member<'j>(jwk: &'j Object, name: &str) -> Option<&'j Json> {
    jwk.get(name).filter(|value| !matches!(value, Json::Null))
}

fn algorithms(jwk: &Object, material: &Material) -> Result<Vec<Algorithm>, JwkFault> {
    let fitting = material.fitting_algorithms();
    match member(jwk, "alg") {
        None => Ok(fitting.to_vec()),
        Some(Json::String(name)) => Algorithm::from_name(name)
            .filter(|algorithm| fitting.contains(algorithm))
            .map(|algorithm| vec![algorithm])
            .ok_or(JwkFault::Algorithm),
        Some(_) => Err(JwkFault::MemberType("alg")),
    }
}

fn text(jwk: &Object, name: &'static str) -> Result<Option<Text>, JwkFault> {
    match member(jwk, name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwkFault::MemberType(name)),
    }
}

fn fingerprint(
    names: [Option<&str>; 2],
    uses: &[(Algorithm, ParsedPublicKey)],
    material: &Material,
) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
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

/// Why one key of a set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwkFault {
    /// The element is not a JSON object.
    NotAnObject,
    /// It holds private or symmetric key material, which belongs in no published set.
    Secret,
    /// `use` or `key_ops` say that it is for something else.
    NotForSignatures,
    /// `kty` or `crv` is unknown here.
    KeyType,
    /// `alg` is unknown, or does not fit the type of the key.
    Algorithm,
    /// A member that the type needs is missing or not canonical base64url.
    MissingMember(&'static str),
    /// A member has the wrong type.
    MemberType(&'static str),
    /// An RSA modulus outside 2048 to 8192 bits.
    RsaSize,
    /// An RSA exponent that is even, 1, or beyond 64 bits.
    RsaExponent,
    /// A coordinate that is longer than its curve allows.
    Coordinate(&'static str),
    /// A point that is not on its curve, or of small order.
    Point,
}

impl fmt::Display for JwkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("not an object"),
            Self::Secret => {
                f.write_str("it holds secret key material: the key must be considered compromised")
            }
            Self::NotForSignatures => f.write_str("it is not for verifying signatures"),
            Self::KeyType => f.write_str("its type or curve is not supported"),
            Self::Algorithm => f.write_str("its `alg` is not supported, or does not fit its type"),
            Self::MissingMember(name) => {
                write!(f, "`{name}` is missing or not canonical base64url")
            }
            Self::MemberType(name) => write!(f, "`{name}` has the wrong type"),
            Self::RsaSize => f.write_str("the RSA modulus is outside 2048 to 8192 bits"),
            Self::RsaExponent => f.write_str("the RSA exponent is even, 1, or beyond 64 bits"),
            Self::Coordinate(name) => write!(f, "`{name}` is longer than its curve allows"),
            Self::Point => f.write_str("it is no valid point of its curve"),
        }
    }
}

impl std::error::Error for JwkFault {}
