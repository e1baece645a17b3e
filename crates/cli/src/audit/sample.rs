//! A sample token: how it is made, and whether the published keys verify it. The token itself is
//! never shown.

use portcullis_core::Limits;
use portcullis_core::jose::{CompactJws, Header, Jwks, Selection, compact, signature};
use portcullis_core::rejection::{Code, Facts};
use portcullis_core::token::{Claims, OpaqueToken};

/// What a sample token is.
#[derive(Debug)]
pub(crate) enum Sample {
    /// No JWT: its issuer has to be asked about it.
    Opaque,
    /// A JWT that no server of ours would read on.
    Refused { code: Code, facts: Facts },
    /// A JWT.
    Read(Box<Token>),
}

/// A JWT that could be read.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) header: Header,
    pub(crate) claims: Claims,
    pub(crate) bytes: usize,
    /// Whether a published key verifies it; nothing where there are no keys.
    pub(crate) signed: Option<bool>,
}

impl Sample {
    pub(crate) fn read(text: &str, keys: Option<&Jwks>, limits: &Limits) -> Self {
        match OpaqueToken::read(text, limits) {
            Ok(Some(_)) => return Self::Opaque,
            Ok(None) => {}
            Err(rejection) => return Self::refused(rejection.code(), rejection.facts()),
        }
        match compact::parse(text, limits) {
            Err(rejection) => Self::refused(rejection.code(), rejection.facts()),
            Ok(token) => {
                let header = token.header().clone();
                let signed = keys.map(|keys| is_verified(token.jws(), keys));
                let claims = token.unverified_claims().clone();
                Self::Read(Box::new(Token {
                    header,
                    claims,
                    bytes: text.len(),
                    signed,
                }))
            }
        }
    }

    fn refused(code: Code, facts: &Facts) -> Self {
        Self::Refused {
            code,
            facts: facts.clone(),
        }
    }

    /// The token, if it could be read.
    pub(crate) fn token(&self) -> Option<&Token> {
        match self {
            Self::Read(token) => Some(token),
            Self::Opaque | Self::Refused { .. } => None,
        }
    }
}

/// Whether a published key verifies it.
pub(super) fn is_verified(jws: &CompactJws<'_>, keys: &Jwks) -> bool {
    match keys.select(jws.header().kid.as_deref(), jws.header().algorithm) {
        Selection::Keys(keys) => signature::check_jws(jws, &keys).is_ok(),
        Selection::WrongAlgorithm | Selection::Unknown => false,
    }
}

impl Token {
    /// `exp` less `iat`, or less `nbf` where that is all there is.
    pub(crate) fn lifetime(&self) -> Option<i64> {
        let from = self
            .claims
            .issued_at()
            .or_else(|| self.claims.not_before())?;
        Some(self.claims.expires()?.since(from))
    }

    /// `typ`, in small letters and without `application/`.
    pub(crate) fn typ(&self) -> Option<String> {
        let typ = self.header.typ.as_deref()?.to_ascii_lowercase();
        Some(typ.strip_prefix("application/").unwrap_or(&typ).to_owned())
    }
}
