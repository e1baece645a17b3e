//! The key material of a JWK, and its parsed form.

use super::Algorithm;
use super::json::{Json, Object};
use super::jwk_fault::JwkFault;
use super::jwk_member::{bytes, member};
use Algorithm::{ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, VerificationAlgorithm};

// Kept as bytes for the fingerprint: the library does not give them back.
/// The key itself, by its type.
pub(super) enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point: 4, x, y.
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519 {
        point: Vec<u8>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The value of `crv` (RFC 7518, section 6.2.1.1).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }
}

impl Material {
    pub(super) fn from_jwk(jwk: &Object) -> Result<Self, JwkFault> {
        let kind = member(jwk, "kty").and_then(Json::as_str);
        let curve = member(jwk, "crv").and_then(Json::as_str);
        match (kind, curve) {
            (Some("RSA"), None) => rsa(jwk),
            (Some("EC"), Some("P-256")) => ec(jwk, Curve::P256, 32),
            (Some("EC"), Some("P-384")) => ec(jwk, Curve::P384, 48),
            (Some("EC"), Some("P-521")) => ec(jwk, Curve::P521, 66),
            (Some("OKP"), Some("Ed25519")) => ed25519(jwk),
            _ => Err(JwkFault::KeyType),
        }
    }

    pub(super) fn fitting_algorithms(&self) -> &'static [Algorithm] {
        // RFC 7518, section 3.4: each curve goes with one hash.
        match self {
            Self::Rsa { .. } => &[RS256, RS384, RS512, PS256, PS384, PS512],
            Self::Ec {
                curve: Curve::P256, ..
            } => &[ES256],
            Self::Ec {
                curve: Curve::P384, ..
            } => &[ES384],
            Self::Ec {
                curve: Curve::P521, ..
            } => &[ES512],
            Self::Ed25519 { .. } => &[EdDSA],
        }
    }

    /// The bytes that tell this key from others of its type.
    pub(super) fn parts(&self) -> [&[u8]; 2] {
        match self {
            Self::Rsa { modulus, exponent } => [modulus, exponent],
            Self::Ec { point, .. } | Self::Ed25519 { point } => [point, &[]],
        }
    }
}

fn rsa(jwk: &Object) -> Result<Material, JwkFault> {
    let modulus = without_leading_zeros(bytes(jwk, "n")?);
    let exponent = without_leading_zeros(bytes(jwk, "e")?);
    let top = modulus.first().copied().unwrap_or_default();
    let bits = (modulus.len() * 8).saturating_sub(top.leading_zeros() as usize);
    // Below 2048 bits a key can be factored; above 8192 each check costs too much.
    if !(2048..=8192).contains(&bits) || !is_odd(&modulus) {
        return Err(JwkFault::RsaSize);
    }
    // With the exponent 1 every text is its own signature.
    if !is_odd(&exponent) || exponent == [1] || exponent.len() > 8 {
        return Err(JwkFault::RsaExponent);
    }
    Ok(Material::Rsa { modulus, exponent })
}

fn is_odd(number: &[u8]) -> bool {
    match number.last() {
        Some(last) => last % 2 == 1,
        None => false,
    }
}

fn ec(jwk: &Object, curve: Curve, length: usize) -> Result<Material, JwkFault> {
    let (x, y) = (coordinate(jwk, "x", length)?, coordinate(jwk, "y", length)?);
    let point = [&[4][..], &x, &y].concat();
    Ok(Material::Ec { curve, point })
}

/// A coordinate in full length (RFC 7518, section 6.2.1.2). Some providers drop or add leading
/// zeros, which do not change the number. The point must lie on its curve all the same.
fn coordinate(jwk: &Object, name: &'static str, length: usize) -> Result<Vec<u8>, JwkFault> {
    let number = without_leading_zeros(bytes(jwk, name)?);
    let missing = length
        .checked_sub(number.len())
        .ok_or(JwkFault::Coordinate(name))?;
    Ok([vec![0; missing], number].concat())
}

fn ed25519(jwk: &Object) -> Result<Material, JwkFault> {
    let point = bytes(jwk, "x")?;
    if point.len() != 32 || has_small_order(&point) {
        Err(JwkFault::Point)
    } else {
        Ok(Material::Ed25519 { point })
    }
}

/// Parses the key for one algorithm; the library checks that points are on their curve.
pub(super) fn parse(
    material: &Material,
    algorithm: Algorithm,
) -> Result<ParsedPublicKey, JwkFault> {
    match material {
        Material::Rsa { modulus, exponent } => {
            let parameters = rsa_parameters(algorithm).ok_or(JwkFault::Algorithm)?;
            let key = PublicKeyComponents {
                n: modulus,
                e: exponent,
            };
            key.to_parsed_public_key(parameters)
                .map_err(|_| JwkFault::RsaSize)
        }
        Material::Ec { point, .. } | Material::Ed25519 { point } => {
            let verification = point_verification(algorithm).ok_or(JwkFault::Algorithm)?;
            ParsedPublicKey::new(verification, point).map_err(|_| JwkFault::Point)
        }
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        PS384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        PS512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        ES256 | ES384 | ES512 | EdDSA => None,
    }
}

fn point_verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        ES512 => Some(&signature::ECDSA_P521_SHA512_FIXED),
        EdDSA => Some(&signature::ED25519),
        RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => None,
    }
}

/// RFC 7518, section 6.3.1.1, forbids leading zeros. Some providers write them, and they are
/// harmless.
fn without_leading_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes
        .into_iter()
        .skip_while(|byte| *byte == 0)
        .collect()
}

/// The encodings of the points whose order divides 8, without their sign bit. Under such a key a
/// signature that anyone can make verifies for many messages.
fn has_small_order(point: &[u8]) -> bool {
    let mut unsigned = point.to_vec();
    if let Some(last) = unsigned.last_mut() {
        *last &= 0x7f;
    }
    match <[u8; 32]>::try_from(unsigned) {
        Ok(y) => SMALL_ORDER.contains(&y),
        Err(_) => false,
    }
}

/// y of: order 4 (0), order 1 (1), the two of order 8, order 2 (p - 1), and 0 and 1 written as p
/// and p + 1.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    with_ends(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    with_ends(0xec, 0xff, 0x7f),
    with_ends(0xed, 0xff, 0x7f),
    with_ends(0xee, 0xff, 0x7f),
];

const fn with_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}
