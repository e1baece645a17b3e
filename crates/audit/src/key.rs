//! One key of a set: what it says of itself, and what a server makes of it.

use crate::certified_key::CertifiedKey;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::jose::json::{Json, Object};
use portcullis_core::jose::{JwkFault, VerifyingKey, base64url};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::time::Time;

/// One element of a key set.
#[derive(Debug)]
pub struct PublishedKey {
    /// Its place in the set, from 0.
    pub index: usize,
    jwk: Object,
    /// The key as a server uses it, or the reason why it does not.
    pub verdict: Result<VerifyingKey, JwkFault>,
    /// The first certificate of `x5c` (RFC 7517, section 4.7).
    pub certificate: Option<KeyCertificate>,
}

/// The certificate of a published key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCertificate {
    /// The end of its validity, in Unix time.
    pub expires: i64,
    /// Whether its key is the one that the members of the JWK are.
    pub fits: bool,
}

impl PublishedKey {
    /// Reads one element of a key set.
    #[must_use]
    pub fn read(index: usize, jwk: &Json) -> Self {
        let verdict = VerifyingKey::from_jwk(jwk);
        let jwk = jwk.as_object().cloned().unwrap_or_default();
        let certificate = certificate(&jwk);
        Self {
            index,
            jwk,
            verdict,
            certificate,
        }
    }

    /// A member that is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.jwk.get(name)?.as_str()
    }

    /// Whether a member is there, and not null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        !matches!(self.jwk.get(name), Some(Json::Null) | None)
    }

    /// Its name in evidence and tables: the `kid`, or its place.
    #[must_use]
    pub fn name(&self) -> String {
        match self.text("kid") {
            Some(kid) => portcullis_core::rejection::quote(kid),
            None => format!("the key at place {}", self.index),
        }
    }

    /// Whether it says that it is for something else than signatures.
    #[must_use]
    pub fn is_for_others(&self) -> bool {
        self.verdict.as_ref().err() == Some(&JwkFault::NotForSignatures)
    }

    /// Type and curve, such as `EC P-256`.
    #[must_use]
    pub fn kind(&self) -> String {
        let kty = self.text("kty").unwrap_or("no type");
        // A key set is foreign text: escaped and cut, it cannot steer a terminal or flood a report.
        let mut kind: String = kty.escape_debug().take(16).collect();
        if let Some(crv) = self.text("crv") {
            kind.push(' ');
            kind.extend(crv.escape_debug().take(16));
        }
        kind
    }

    /// The size of the modulus (RSA) or of the curve, in bits.
    #[must_use]
    pub fn bits(&self) -> Option<usize> {
        match (self.text("kty")?, self.text("crv")) {
            ("RSA", _) => Some(bits(&self.number("n")?)),
            ("EC", Some("P-256")) | ("OKP", Some("Ed25519")) => Some(256),
            ("EC", Some("P-384")) => Some(384),
            ("EC", Some("P-521")) => Some(521),
            _ => None,
        }
    }

    /// A member that is a number in base64url, without leading zeros.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<Vec<u8>> {
        Some(trim_zeros(base64url::decode(self.text(name)?).ok()?))
    }

    /// The thumbprint of RFC 7638, in base64url.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        // RFC 7638, section 3.2, and RFC 8037, section 2: other members must not change the
        // thumbprint.
        let names: &[&str] = match self.text("kty")? {
            "RSA" => &["e", "kty", "n"],
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            _ => return None,
        };
        // The members in lexicographic order, without white space (RFC 7638, section 3.3).
        let mut members = Vec::new();
        for name in names {
            members.push(format!("\"{name}\":\"{}\"", plain(self.text(name)?)?));
        }
        let text = format!("{{{}}}", members.join(","));
        Some(base64url::encode(
            digest::digest(&digest::SHA256, text.as_bytes()).as_ref(),
        ))
    }
}

/// A text that needs no escaping in JSON: the members of a thumbprint never do.
fn plain(text: &str) -> Option<&str> {
    for byte in text.bytes() {
        if !byte.is_ascii_alphanumeric() && !b"-_".contains(&byte) {
            return None;
        }
    }
    Some(text)
}

fn certificate(jwk: &Object) -> Option<KeyCertificate> {
    let first = jwk.get("x5c")?.as_array()?.first()?.as_str()?;
    // RFC 7517, section 4.7: `x5c` is plain base64, unlike the numbers of a key.
    let der = STANDARD.decode(first).ok()?;
    let certificate = Certificate::from_der(&der).ok()?;
    let content = certificate.tbs_certificate();
    let key = CertifiedKey::read(content.subject_public_key_info())?;
    Some(KeyCertificate {
        expires: unix_time(content.validity().not_after)?,
        fits: fits(jwk, &key),
    })
}

/// Seconds since 1970.
pub(crate) fn unix_time(time: Time) -> Option<i64> {
    i64::try_from(time.to_unix_duration().as_secs()).ok()
}

fn fits(jwk: &Object, key: &CertifiedKey<'_>) -> bool {
    let member = |name| {
        let text = jwk
            .get(name)
            .and_then(Json::as_str)
            .unwrap_or_default();
        base64url::decode(text).unwrap_or_default()
    };
    match key {
        CertifiedKey::Rsa { modulus, exponent } => {
            modulus.as_bytes() == trim_zeros(member("n"))
                && exponent.as_bytes() == trim_zeros(member("e"))
        }
        // An uncompressed point is 4, x and y. JOSE knows no compressed ones.
        CertifiedKey::Ec(point) => **point == [vec![4], member("x"), member("y")].concat(),
        CertifiedKey::Bare(bytes) => **bytes == member("x"),
    }
}

fn trim_zeros(number: Vec<u8>) -> Vec<u8> {
    number
        .into_iter()
        .skip_while(|byte| *byte == 0)
        .collect()
}

/// The size of a number without leading zero bytes.
pub(crate) fn bits(number: &[u8]) -> usize {
    let top = number
        .first()
        .map_or(0, |top| top.leading_zeros() as usize);
    (number.len() * 8).saturating_sub(top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
    use serde_json::{Value, json};

    fn key(jwk: &Value) -> PublishedKey {
        PublishedKey::read(
            0,
            &json::parse(jwk.to_string().as_bytes(), &Limits::default()).unwrap(),
        )
    }

    /// An EC key with its certificate.
    fn certified() -> (Value, String) {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(["idp.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2_030, 1, 1);
        let certificate = params.self_signed(&pair).unwrap();
        let point = pair.public_key_raw();
        let [x, y] = [&point[1..33], &point[33..]].map(base64url::encode);
        (
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
            STANDARD.encode(certificate.der()),
        )
    }

    #[test]
    fn a_certificate_is_compared_with_its_key() {
        let (mut jwk, certificate) = certified();
        jwk["x5c"] = json!([certificate]);
        assert_eq!(
            key(&jwk).certificate,
            Some(KeyCertificate {
                expires: 1_893_456_000,
                fits: true
            })
        );
        jwk["x5c"] = json!([certified().1]);
        assert_eq!(key(&jwk).certificate.map(|it| it.fits), Some(false));
        jwk["x5c"] = json!(["nonsense"]);
        assert_eq!(key(&jwk).certificate, None);
    }

    /// The digest was made by another program, `openssl dgst`, over the text that RFC 7638, section
    /// 3 prescribes.
    #[test]
    fn the_thumbprint_is_made_of_the_required_members_alone() {
        let jwk = json!({ "kid": "a", "use": "sig", "kty": "OKP", "crv": "Ed25519", "x": "AA" });
        assert_eq!(
            key(&jwk).thumbprint().as_deref(),
            Some("3I7TDbW-lKbNSt8372-ez4nbmhZyQrtliLvMotQEsgE")
        );
        assert_eq!(
            key(&json!({ "kty": "OKP", "crv": "Ed25519" })).thumbprint(),
            None
        );
        assert_eq!(
            key(&json!({ "kty": "OKP", "crv": "Ed\"", "x": "AA" })).thumbprint(),
            None
        );
    }

    #[test]
    fn sizes_are_of_the_number_itself() {
        let rsa = |bytes: &[u8]| {
            key(&json!({ "kty": "RSA", "n": base64url::encode(bytes), "e": "AQAB" })).bits()
        };
        assert_eq!(rsa(&[0, 1, 0]), Some(9));
        assert_eq!(rsa(&[0xff; 128]), Some(1_024));
        assert_eq!(
            key(&json!({ "kty": "EC", "crv": "P-521" })).bits(),
            Some(521)
        );
        assert_eq!(key(&json!({ "kty": "oct", "k": "AA" })).bits(), None);
    }
}
