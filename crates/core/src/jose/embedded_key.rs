//! The public key that a proof brings along (RFC 7515, section 4.1.3; RFC 9449, section 4.2), and
//! its thumbprint (RFC 7638).
//!
//! Read more strictly than a published key: a client makes its own, so nothing has to be understood
//! that others write. Each number has one spelling, or one key would have several thumbprints.

use super::json::{Json, Object};
use super::jwk::check_purpose;
use super::jwk_fault::JwkFault;
use super::jwk_member::text;
use super::key_material::{self, Material};
use super::{Algorithm, base64url};
use crate::proof::Thumbprint;
use aws_lc_rs::digest;
use aws_lc_rs::signature::ParsedPublicKey;

/// Most bits of an RSA modulus: a caller chooses it, and we pay for it.
const MOST_MODULUS_BYTES: usize = 4096 / 8;

/// Most bytes of an RSA exponent, for the same reason.
const MOST_EXPONENT_BYTES: usize = 4;

/// A key out of a header. It is proven by a signature, and trusted for nothing.
pub(crate) struct EmbeddedKey {
    material: Material,
    parsed: ParsedPublicKey,
}

impl EmbeddedKey {
    /// Reads a key for one algorithm.
    pub(crate) fn from_jwk(jwk: &Json, algorithm: Algorithm) -> Result<Self, JwkFault> {
        let jwk = jwk.as_object().ok_or(JwkFault::NotAnObject)?;
        check_purpose(jwk)?;
        if let Some(name) = text(jwk, "alg")?
            && Algorithm::from_name(&name) != Some(algorithm)
        {
            return Err(JwkFault::Algorithm);
        }
        let material = Material::from_jwk(jwk)?;
        if !material.fitting_algorithms().contains(&algorithm) {
            return Err(JwkFault::Algorithm);
        }
        check_size(&material)?;
        check_spelling(jwk, &material)?;
        let parsed = key_material::parse(&material, algorithm)?;
        Ok(Self { material, parsed })
    }

    /// Whether the key made this signature.
    pub(crate) fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(input, signature).is_ok()
    }

    /// The SHA-256 thumbprint: the required members, by name, without spaces.
    pub(crate) fn thumbprint(&self) -> Thumbprint {
        let mut canonical = String::from("{");
        for (index, (name, value)) in self.material.members().iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            canonical.push_str(&format!("{comma}\"{name}\":\"{value}\""));
        }
        canonical.push('}');
        Thumbprint::of(&digest::digest(&digest::SHA256, canonical.as_bytes()))
    }
}

fn check_size(material: &Material) -> Result<(), JwkFault> {
    match material {
        Material::Rsa { modulus, .. } if modulus.len() > MOST_MODULUS_BYTES => {
            Err(JwkFault::RsaSize)
        }
        Material::Rsa { exponent, .. } if exponent.len() > MOST_EXPONENT_BYTES => {
            Err(JwkFault::RsaExponent)
        }
        _ => Ok(()),
    }
}

/// Whether each member is written as the standard says, without zeros left out or added.
fn check_spelling(jwk: &Object, material: &Material) -> Result<(), JwkFault> {
    for (name, value) in material.members() {
        if jwk.get(name).and_then(Json::as_str) != Some(&value) {
            return Err(JwkFault::Coordinate(name));
        }
    }
    Ok(())
}

impl Material {
    /// The members that a thumbprint covers, in the order of their names (RFC 7638, section 3.2).
    fn members(&self) -> Vec<(&'static str, String)> {
        let text = |text: &str| text.to_owned();
        match self {
            Self::Rsa { modulus, exponent } => vec![
                ("e", base64url::encode(exponent)),
                ("kty", text("RSA")),
                ("n", base64url::encode(modulus)),
            ],
            Self::Ec { curve, point } => {
                let (x, y) = coordinates(point);
                vec![
                    ("crv", text(curve.name())),
                    ("kty", text("EC")),
                    ("x", base64url::encode(x)),
                    ("y", base64url::encode(y)),
                ]
            }
            Self::Ed25519 { point } => vec![
                ("crv", text("Ed25519")),
                ("kty", text("OKP")),
                ("x", base64url::encode(point)),
            ],
        }
    }
}

/// The coordinates of an uncompressed point, behind its first byte.
fn coordinates(point: &[u8]) -> (&[u8], &[u8]) {
    let rest = point.get(1..).unwrap_or_default();
    rest.split_at_checked(rest.len() / 2)
        .unwrap_or_default()
}
