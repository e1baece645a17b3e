//! What the access tokens of one issuer look like: its dialect, and what the operator adds to it.

use super::Pattern;
use crate::dialect::Dialect;
use crate::jose::Algorithm;
use crate::jose::json::Json;
use crate::token::{ClaimPath, Mapping};
use std::fmt;
use std::time::Duration;

/// What is demanded of one issuer's tokens, beyond the issuer and the audience.
///
/// Neither the expiry nor the audience of a JWT can be made optional.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// What is known of the provider.
    pub dialect: &'static Dialect,
    /// The algorithms that are accepted. A key's own `alg` narrows them further.
    pub algorithms: Vec<Algorithm>,
    /// The values of the header `typ` that are accepted.
    pub types: Vec<TokenType>,
    /// Claims that must be there, besides `iss`, `exp` and the one for the audience, which always
    /// must.
    pub required_claims: Vec<Box<str>>,
    /// Claims that must have one of these values, or be an array that holds one: the operator's
    /// conditions.
    pub conditions: Vec<Condition>,
    /// How far the clocks of the issuer and of this server may be apart. Default 60 seconds.
    pub leeway: Duration,
    /// How far away `exp` may be. Default 24 hours, and more for some dialects.
    pub max_lifetime: Duration,
    /// Where the caller, the scopes, the roles and the groups are.
    pub mapping: Mapping,
    /// Whether an introspection answer without an audience is accepted, because that endpoint
    /// answers for this API alone. One for another audience never is. Default false.
    pub danger_answers_without_audience: bool,
    /// Whether an introspection answer with neither an audience nor a sign of an access token is
    /// accepted, because that endpoint knows no other tokens: no refresh tokens, no ID tokens.
    /// Default false.
    pub danger_answers_without_type: bool,
}

/// A claim that must have one of some values.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Where the claim is.
    pub claim: ClaimPath,
    /// The values, one of which it must have.
    pub values: Vec<Expected>,
}

/// What a claim may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// This value, or an array that holds it.
    Value(Json),
    /// A text that fits the pattern, or an array that holds one.
    Like(Pattern),
}

/// A value of the header `typ` (RFC 7515, section 4.1.9), compared without case, `application/`
/// left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt`: an access token (RFC 9068, section 2.1).
    AccessToken,
    /// `JWT`: any kind of token.
    Jwt,
    /// `portcullis-assertion+jwt`: what a Portcullis gateway says of a caller to the servers behind
    /// it.
    Assertion,
    /// No `typ` at all.
    Absent,
}

impl Profile {
    /// The profile of a dialect, as it is without any setting.
    pub fn of(dialect: &'static Dialect) -> Self {
        Self {
            dialect,
            algorithms: Algorithm::ALL.to_vec(),
            types: dialect.types.to_vec(),
            required_claims: dialect
                .required_claims
                .iter()
                .copied()
                .map(Into::into)
                .collect(),
            conditions: Vec::new(),
            leeway: Duration::from_secs(60),
            max_lifetime: dialect.max_lifetime,
            mapping: Mapping::of(dialect),
            danger_answers_without_audience: false,
            danger_answers_without_type: false,
        }
    }

    /// Any provider: `typ` is `at+jwt`, `JWT` or absent; a subject, or the client of an
    /// application, is required; what looks like an ID token or a logout token is refused.
    pub fn generic() -> Self {
        Self::of(Dialect::of_issuer(""))
    }

    /// RFC 9068 to the letter: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required.
    pub fn rfc9068() -> Self {
        Self::named("rfc9068").unwrap_or_else(Self::generic)
    }

    /// The profile of this name: see [`DIALECTS`](crate::dialect::DIALECTS).
    pub fn named(name: &str) -> Option<Self> {
        Dialect::named(name).map(Self::of)
    }

    /// What the profile is called.
    pub fn name(&self) -> &'static str {
        self.dialect.name
    }

    pub(crate) fn leeway_seconds(&self) -> i64 {
        seconds(self.leeway)
    }

    pub(crate) fn max_lifetime_seconds(&self) -> i64 {
        seconds(self.max_lifetime)
    }
}

impl Condition {
    /// Whether the claim has one of the values.
    pub(crate) fn is_met_by(&self, claims: &crate::token::Claims) -> bool {
        self.values.iter().any(|expected| match expected {
            Expected::Value(value) => self.claim.holds(claims, value),
            Expected::Like(pattern) => match self.claim.find(claims) {
                Some(Json::Array(elements)) => elements
                    .iter()
                    .filter_map(Json::as_str)
                    .any(|text| pattern.fits(text)),
                Some(value) => value.as_str().is_some_and(|text| pattern.fits(text)),
                None => false,
            },
        })
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

impl TokenType {
    /// The kind that a header's `typ` names; `None` for every other value.
    pub fn of_header(typ: Option<&str>) -> Option<Self> {
        let Some(typ) = typ else {
            return Some(Self::Absent);
        };
        let is = |name: &str| typ.eq_ignore_ascii_case(name);
        if is("at+jwt") || is("application/at+jwt") {
            Some(Self::AccessToken)
        } else if is("JWT") || is("application/jwt") {
            Some(Self::Jwt)
        } else if is("portcullis-assertion+jwt") || is("application/portcullis-assertion+jwt") {
            Some(Self::Assertion)
        } else {
            None
        }
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "`at+jwt`",
            Self::Jwt => "`JWT`",
            Self::Assertion => "`portcullis-assertion+jwt`",
            Self::Absent => "none",
        })
    }
}
