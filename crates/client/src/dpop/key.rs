//! A P-256 key, and proofs of its possession (RFC 9449, section 4.2).

use crate::error::Error;
use crate::random::unguessable;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use portcullis_core::ConfigError;
use portcullis_core::jose::base64url;
use portcullis_core::token::NumericDate;
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;
use url::{Position, Url};
use zeroize::Zeroizing;

/// A key that tokens are bound to (ES256). Clones share it; the last drop wipes it.
///
/// ```
/// use portcullis_client::DpopKey;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = DpopKey::generate()?;
/// // Refresh tokens of public clients stay bound to it: store it with them.
/// let stored = key.to_pkcs8();
/// let same = DpopKey::from_pkcs8(&stored)?;
/// assert_eq!(same.thumbprint(), key.thumbprint());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DpopKey(Arc<DpopKeyPair>);

struct DpopKeyPair {
    pair: EcdsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
    header: String,
    thumbprint: String,
}

/// The request that a proof is for.
pub(crate) struct ProofTarget<'p> {
    pub(crate) method: &'p str,
    pub(crate) url: &'p Url,
    /// The token in the same request, if there is one.
    pub(crate) token: Option<&'p str>,
    pub(crate) nonce: Option<&'p str>,
}

impl DpopKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// A machine without random numbers.
    pub fn generate() -> Result<Self, Error> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let document =
            document.map_err(|_| Error::outage("this machine cannot generate keys", None))?;
        Ok(Self::from_pkcs8(document.as_ref())?)
    }

    /// A key from storage.
    ///
    /// # Errors
    ///
    /// Bytes that are not a P-256 key as PKCS#8.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, ConfigError> {
        let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) else {
            return Err(malformed_key());
        };
        // An uncompressed point: the byte 4, then both coordinates.
        let point = pair.public_key().as_ref();
        let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else {
            return Err(malformed_key());
        };
        let (x, y) = (base64url::encode(x), base64url::encode(y));
        // RFC 7638, section 3: these members, in this order, without spaces.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        Ok(Self(Arc::new(DpopKeyPair {
            header: base64url::encode(header.to_string().as_bytes()),
            thumbprint: base64url::encode(digest(&SHA256, canonical.as_bytes()).as_ref()),
            pkcs8: der.to_vec().into(),
            pair,
        })))
    }

    /// The key as PKCS#8, wiped on drop. Store it in a safe place.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.0.pkcs8.clone()
    }

    /// The thumbprint that tokens are bound to: `cnf.jkt` (RFC 9449, section 6.1).
    pub fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    /// A proof for one request.
    pub(crate) fn prove(
        &self,
        target: &ProofTarget<'_>,
        now: NumericDate,
    ) -> Result<String, Error> {
        let mut claims = Map::new();
        claims.insert("jti".to_owned(), unguessable()?.into());
        claims.insert("htm".to_owned(), target.method.into());
        // Without query and fragment (RFC 9449, section 4.2).
        let address = &target.url[..Position::AfterPath];
        claims.insert("htu".to_owned(), address.into());
        claims.insert("iat".to_owned(), now.seconds().into());
        if let Some(token) = target.token {
            // The hash ties the proof to this token: with another token it is useless.
            let hash = digest(&SHA256, token.as_bytes());
            claims.insert("ath".to_owned(), base64url::encode(hash.as_ref()).into());
        }
        if let Some(nonce) = target.nonce {
            claims.insert("nonce".to_owned(), nonce.into());
        }
        let claims = base64url::encode(Value::Object(claims).to_string().as_bytes());
        let input = format!("{}.{claims}", self.0.header);
        let signature = self
            .0
            .pair
            .sign(&SystemRandom::new(), input.as_bytes());
        let signature = signature.map_err(|_| Error::outage("this machine cannot sign", None))?;
        Ok(format!("{input}.{}", base64url::encode(signature.as_ref())))
    }
}

fn malformed_key() -> ConfigError {
    let help = "generate a new key, and fetch new tokens: the old ones are bound to the old key";
    let fault = ConfigError::expected("dpop_key", "a P-256 key as PKCS#8");
    fault.found_as("other bytes").help(help)
}

/// Shows the thumbprint, which is public.
impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key {}", self.0.thumbprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    fn parts(proof: &str) -> Vec<Value> {
        let segments = proof.split('.').take(2);
        segments
            .map(|part| serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn a_proof_says_what_it_is_for_and_is_signed_by_its_own_key() {
        let key = DpopKey::generate().unwrap();
        let url = Url::parse("https://api.example/orders?page=2#x").unwrap();
        let proven = ProofTarget {
            method: "GET",
            url: &url,
            token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            nonce: Some("n"),
        };
        let proof = key
            .prove(&proven, NumericDate::from_seconds(1_000))
            .unwrap();
        let [header, claims] = parts(&proof).try_into().unwrap();
        assert_eq!(
            (&header["typ"], &header["alg"], &header["jwk"]["kty"]),
            (&json!("dpop+jwt"), &json!("ES256"), &json!("EC"))
        );
        assert!(header["jwk"].get("d").is_none());
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&json!("GET"), &json!("https://api.example/orders"))
        );
        // The token and its hash are those of RFC 9449, section 7.1.
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert_eq!(
            (&claims["iat"], &claims["nonce"]),
            (&json!(1_000), &json!("n"))
        );
        let (input, signature) = proof.rsplit_once('.').unwrap();
        let point = |name: &str| base64url::decode(header["jwk"][name].as_str().unwrap()).unwrap();
        let public = [vec![4], point("x"), point("y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(input.as_bytes(), &base64url::decode(signature).unwrap())
            .unwrap();
        let again = key
            .prove(&proven, NumericDate::from_seconds(1_000))
            .unwrap();
        assert_ne!(parts(&again)[1]["jti"], claims["jti"]);
    }

    #[test]
    fn a_key_comes_back_as_it_was_kept() {
        let key = DpopKey::generate().unwrap();
        let again = DpopKey::from_pkcs8(&key.to_pkcs8()).unwrap();
        assert_eq!(key.thumbprint(), again.thumbprint());
        assert_eq!(format!("{key:?}"), format!("the key {}", key.thumbprint()));
        assert!(DpopKey::from_pkcs8(b"no key").is_err());
    }
}
