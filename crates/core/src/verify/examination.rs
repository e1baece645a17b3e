//! One token before one verifier at one moment: what the rows of the table read.

use super::verifier::Expectations;
use super::{Profile, TokenType};
use crate::dialect::{AudienceClaim, Dialect, Mark};
use crate::jose::Header;
use crate::jose::json::Json;
use crate::rejection::Facts;
use crate::token::{ClaimPath, Claims, NumericDate};
use std::fmt::Display;

/// What vouches for the claims.
#[derive(Clone, Copy, Debug)]
pub(super) enum Evidence<'x> {
    /// A JWT. Its signature is checked apart from the table, and may be still to come.
    Token {
        header: &'x Header,
        /// The issuer that the signing key is for, if its set says so.
        key_issuer: Option<&'x str>,
    },
    /// The issuer's answer about a token that is not a JWT (RFC 7662).
    Answer,
    /// The issuer's answer about a JWT that was verified by itself.
    Confirmation,
}

/// One token before one verifier at one moment.
#[derive(Debug)]
pub(super) struct Examination<'x> {
    pub(super) expectations: &'x Expectations,
    pub(super) evidence: Evidence<'x>,
    pub(super) claims: &'x Claims,
    pub(super) now: NumericDate,
    /// Whether a person reads what the rows found, those that pass too.
    pub(super) explains: bool,
}

/// How a row of the table went.
#[derive(Debug)]
pub(super) enum CheckResult {
    /// The facts are empty unless the examination explains.
    Passes(Facts),
    Fails(Facts),
    /// The row says nothing about such a token, or under such a profile.
    DoesNotApply,
}

impl<'x> Examination<'x> {
    /// The result of a row.
    ///
    /// The texts are written only if somebody reads them: a token that passes costs no memory here.
    pub(super) fn judge(
        &self,
        passes: bool,
        expected: &dyn Display,
        found: &dyn Display,
    ) -> CheckResult {
        // Most tokens pass, and writing the texts would cost more than the check.
        if passes && !self.explains {
            return CheckResult::Passes(Facts::default());
        }
        let facts = Facts::new(expected.to_string(), found.to_string());
        if passes {
            CheckResult::Passes(facts)
        } else {
            CheckResult::Fails(facts)
        }
    }

    pub(super) fn profile(&self) -> &'x Profile {
        &self.expectations.profile
    }

    pub(super) fn dialect(&self) -> &'static Dialect {
        self.profile().dialect
    }

    /// The header; an issuer's answer has none.
    pub(super) fn header(&self) -> Option<&'x Header> {
        match self.evidence {
            Evidence::Token { header, .. } => Some(header),
            Evidence::Answer | Evidence::Confirmation => None,
        }
    }

    /// Whether the claims only confirm a token that was verified by itself.
    pub(super) fn is_confirmation(&self) -> bool {
        matches!(self.evidence, Evidence::Confirmation)
    }

    pub(super) fn token_type(&self) -> Option<TokenType> {
        TokenType::of_header(self.header()?.typ.as_deref())
    }

    pub(super) fn has_mark(&self, mark: &Mark) -> bool {
        match self.claims.claim(mark.claim).and_then(Json::as_str) {
            Some(value) => mark.values.contains(&value),
            None => false,
        }
    }

    /// The claim that must meet our audiences.
    pub(super) fn audience(&self) -> Option<&'x Json> {
        let claims = self.claims;
        match (claims.audience(), self.dialect().audience) {
            (None, AudienceClaim::AudOrClient) => claims.claim("client_id"),
            (audience, _) => audience,
        }
    }

    /// Whether the token may leave its audience out: if we asked an endpoint that answers for this
    /// API alone.
    pub(super) fn may_lack_audience(&self) -> bool {
        self.header().is_none() && self.profile().danger_answers_without_audience
    }

    /// The tenant that the token names.
    pub(super) fn tenant(&self) -> Option<&'x Json> {
        self.first_value(&self.profile().mapping.tenant)
    }

    /// The subject, at the places where the issuer's tokens keep it.
    pub(super) fn subject(&self) -> Option<&'x str> {
        let places = &self.profile().mapping.subject;
        self.first_text(places).or(self.claims.subject())
    }

    /// The client that the token was issued to.
    pub(super) fn client(&self) -> Option<&'x str> {
        self.first_text(&self.profile().mapping.client)
    }

    /// The value at the first of these places that has one.
    pub(super) fn first_value(&self, places: &[ClaimPath]) -> Option<&'x Json> {
        places.iter().find_map(|place| place.find(self.claims))
    }

    /// The text at the first of these places that has one which is not empty.
    fn first_text(&self, places: &[ClaimPath]) -> Option<&'x str> {
        for place in places {
            let text = place.find(self.claims).and_then(Json::as_str);
            // An empty text names nobody; another place may name somebody.
            if text.is_some_and(is_filled) {
                return text;
            }
        }
        None
    }

    /// Whether the profile wants a `sub` of every token.
    pub(super) fn requires_subject(&self) -> bool {
        let required = &self.profile().required_claims;
        required.iter().any(|name| **name == *"sub")
    }

    /// The claims that the token must have. An answer may leave out any of them (RFC 7662, section
    /// 2.2).
    pub(super) fn required_claims(&self) -> impl Iterator<Item = &'x str> + Clone {
        // `iss` chooses the keys. `aud` and `exp` bound what a stolen token is good for.
        let always: &[&str] = match (self.evidence, self.dialect().audience) {
            (Evidence::Answer | Evidence::Confirmation, _) => &[],
            (Evidence::Token { .. }, AudienceClaim::Aud) => &["iss", "aud", "exp"],
            (Evidence::Token { .. }, AudienceClaim::AudOrClient) => &["iss", "exp"],
        };
        let others: &[Box<str>] = match self.evidence {
            Evidence::Token { .. } => &self.profile().required_claims,
            Evidence::Answer | Evidence::Confirmation => &[],
        };
        always
            .iter()
            .copied()
            .chain(others.iter().map(|name| &**name))
    }
}

fn is_filled(text: &str) -> bool {
    !text.is_empty()
}
