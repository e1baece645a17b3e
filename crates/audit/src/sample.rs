//! A sample token: how it is made, and whether the published keys verify it. No report shows the
//! token itself.

use portcullis_core::Limits;
use portcullis_core::jose::base64url;
use portcullis_core::jose::json::{self, Json};
use portcullis_core::jose::{CompactJws, Header, Jwks, Selection, compact, signature};
use portcullis_core::rejection::{Code, Facts};
use portcullis_core::token::{Claims, OpaqueToken};

/// A sample token, as far as it could be read.
#[derive(Debug)]
pub enum SampleToken {
    /// Not a JWT: only its issuer can say what it is worth (RFC 7662).
    Opaque,
    /// Encrypted (RFC 7516): nobody but the holder of its key can read it.
    Encrypted,
    /// A JWT that a server of ours refuses before it looks for a key.
    Malformed {
        /// The code of the refusal.
        code: Code,
        /// Its facts.
        facts: Facts,
    },
    /// A JWT.
    Jwt(Box<SampleJwt>),
}

/// A JWT that could be read.
#[derive(Debug)]
pub struct SampleJwt {
    /// Its protected header.
    pub header: Header,
    /// Its claims, verified or not.
    pub claims: Claims,
    /// Its length in bytes.
    pub bytes: usize,
    /// Whether a published key verifies it; nothing if there are no keys.
    pub verified: Option<bool>,
}

impl SampleToken {
    /// Reads a token, and verifies it with the published keys, if there are any.
    #[must_use]
    pub fn read(text: &str, keys: Option<&Jwks>, limits: &Limits) -> Self {
        match OpaqueToken::read(text, limits) {
            Ok(Some(_)) if is_encrypted(text, limits) => return Self::Encrypted,
            Ok(Some(_)) => return Self::Opaque,
            Ok(None) => {}
            Err(rejection) => return Self::from_rejection(rejection.code(), rejection.facts()),
        }
        let token = match compact::parse(text, limits) {
            Ok(token) => token,
            Err(rejection) => return Self::from_rejection(rejection.code(), rejection.facts()),
        };
        Self::Jwt(Box::new(SampleJwt {
            header: token.header().clone(),
            claims: token.unverified_claims().clone(),
            bytes: text.len(),
            verified: keys.map(|keys| is_verified(token.jws(), keys)),
        }))
    }

    fn from_rejection(code: Code, facts: &Facts) -> Self {
        Self::Malformed {
            code,
            facts: facts.clone(),
        }
    }

    /// The token, if it is a JWT that could be read.
    #[must_use]
    pub fn jwt(&self) -> Option<&SampleJwt> {
        match self {
            Self::Jwt(token) => Some(token),
            Self::Opaque | Self::Encrypted | Self::Malformed { .. } => None,
        }
    }
}

/// Whether it is a JWE in compact form: five parts, of which the first is a header that names the
/// encryption (RFC 7516, sections 4.1.2 and 7.1).
fn is_encrypted(text: &str, limits: &Limits) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, _, _, _, _] = parts.as_slice() else {
        return false;
    };
    let Ok(header) = base64url::decode(header) else {
        return false;
    };
    // The token is foreign: its header is read within the limits, as a server of ours does.
    match json::parse(&header, limits) {
        Ok(Json::Object(header)) => header.get("enc").is_some(),
        _ => false,
    }
}

/// Whether a published key verifies it.
pub(crate) fn is_verified(jws: &CompactJws<'_>, keys: &Jwks) -> bool {
    match keys.select(jws.header().kid.as_deref(), jws.header().algorithm) {
        Selection::Keys(keys) => signature::check_jws(jws, &keys).is_ok(),
        Selection::WrongAlgorithm | Selection::Unknown => false,
    }
}

impl SampleJwt {
    /// `exp` less `iat`, or less `nbf` if there is no `iat`; in seconds.
    pub(crate) fn lifetime(&self) -> Option<i64> {
        let start = match self.claims.issued_at() {
            Some(issued_at) => issued_at,
            None => self.claims.not_before()?,
        };
        Some(self.claims.expires()?.since(start))
    }

    /// `typ`, in small letters and without `application/` (RFC 7515, section 4.1.9).
    pub(crate) fn typ(&self) -> Option<String> {
        let typ = self.header.typ.as_deref()?.to_ascii_lowercase();
        match typ.strip_prefix("application/") {
            Some(rest) => Some(rest.to_owned()),
            None => Some(typ),
        }
    }
}
