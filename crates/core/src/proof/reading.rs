//! A proof of DPoP, read once and strictly (RFC 9449, sections 4.1 and 4.2).
//!
//! Refuses: several proofs, everything but a compact JWS with strict JSON, critical extensions.
//! Addresses of keys in the header (`jku`, `x5u`) and `kid` are never read.

use super::ProofTerms;
use crate::Limits;
use crate::jose::compact::{self, JwsParts};
use crate::jose::json::{Json, Object};
use crate::rejection::{Code, Facts, Rejection};
use http::HeaderMap;

/// A proof whose form is right. Nothing in it is proven.
#[derive(Debug)]
pub(crate) struct Proof<'t> {
    parts: JwsParts<'t, Object>,
    claims: Object,
}

/// The one proof of a request.
pub(super) fn find(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut values = headers.get_all("dpop").iter();
    let found = match (values.next(), values.next()) {
        (None, _) => "none",
        (Some(_), Some(_)) => "several",
        (Some(value), None) => match value.to_str() {
            // Two fields that something on the way joined.
            Ok(text) if text.contains(',') => "several",
            Ok(text) => return Ok(text),
            Err(_) => "bytes outside ASCII",
        },
    };
    let facts = Facts::new("one proof in the header `DPoP`", found);
    Err(Rejection::with(Code::ProofHeader, facts))
}

/// Reads a proof.
pub(super) fn parse<'t>(text: &'t str, terms: &ProofTerms) -> Result<Proof<'t>, Rejection> {
    let limits = Limits {
        token_bytes: terms.proof_bytes,
        ..Limits::default()
    };
    let parts = compact::read_parts(text, &limits, Ok).map_err(|it| malformation(&it))?;
    let claims =
        compact::object("payload", &parts.payload, &limits).map_err(|it| malformation(&it))?;
    Ok(Proof { parts, claims })
}

/// The same facts, about a proof.
fn malformation(rejection: &Rejection) -> Rejection {
    Rejection::with(Code::ProofMalformed, rejection.facts().clone())
}

impl<'t> Proof<'t> {
    pub(crate) fn header(&self, name: &str) -> Option<&Json> {
        self.parts.header.get(name)
    }

    pub(crate) fn claim(&self, name: &str) -> Option<&Json> {
        self.claims.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(Json::as_str)
    }

    pub(super) fn jti(&self) -> Option<&str> {
        self.text("jti")
    }

    pub(crate) fn signing_input(&self) -> &'t str {
        self.parts.signing_input
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.parts.signature
    }
}
