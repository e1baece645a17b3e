//! The profile of one issuer's access tokens: its dialect, and the operator's additions.

use super::{Pattern, TokenType};
use crate::dialect::Dialect;
use crate::jose::Algorithm;
use crate::jose::json::{Json, Number};
use crate::proof::Binding;
use crate::token::{ClaimPath, Claims, Identity, Mapping};
use std::fmt;
use std::time::Duration;

/// The demands on one issuer's tokens, beyond the issuer and the audience.
///
/// Neither the expiry nor the audience of a JWT can be made optional.
///
/// ```
/// use portcullis_core::verify::{Condition, ExpectedValue, Profile};
/// use portcullis_core::token::ClaimPath;
/// use std::time::Duration;
///
/// let mut profile = Profile::by_name("github-actions").expect("a profile of this name");
/// profile.leeway = Duration::from_secs(10);
/// profile.conditions.push(Condition::new(
///     ClaimPath::claim("repository_owner_id"),
///     vec![ExpectedValue::Value("1234".into())],
/// ));
/// assert_eq!(profile.name(), "github-actions");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The provider's dialect.
    pub dialect: &'static Dialect,
    /// The algorithms that are accepted. A key's own `alg` narrows them further.
    pub algorithms: Vec<Algorithm>,
    /// The values of the header `typ` that are accepted.
    pub types: Vec<TokenType>,
    /// Claims that must be there. `iss`, `exp` and the claim for the audience always must.
    pub required_claims: Vec<Box<str>>,
    /// Claims that must have one of these values, or be an array that holds one: the operator's
    /// conditions.
    pub conditions: Vec<Condition>,
    /// How far apart the clocks of the issuer and of this server may be. Default 60 seconds.
    pub leeway: Duration,
    /// How far away `exp` may be. Default 24 hours, and more for some dialects.
    pub max_lifetime: Duration,
    /// Where the caller, the scopes, the roles and the groups are.
    pub mapping: Mapping,
    /// How every token must be bound. Default: tokens need not be bound.
    pub bound: Option<Binding>,
    /// Whether an introspection answer without an audience is accepted, because that endpoint
    /// answers for this API alone. One for another audience never is. Default false.
    pub danger_answers_without_audience: bool,
    /// Whether an introspection answer with neither an audience nor a sign of an access token is
    /// accepted, because that endpoint knows neither refresh tokens nor ID tokens.
    /// Default false.
    pub danger_answers_without_type: bool,
}

/// A claim that must have one of some values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// Where the claim is.
    pub claim: ClaimPath,
    /// The values, one of which it must have.
    pub values: Vec<ExpectedValue>,
}

/// A value that a claim may have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ExpectedValue {
    /// This value, or an array that holds it.
    Value(Json),
    /// A text that fits the pattern, or an array that holds one.
    Like(Pattern),
}

impl Profile {
    /// The profile of a dialect, without any settings.
    pub fn of(dialect: &'static Dialect) -> Self {
        let required_claims = dialect.required_claims.iter().copied();
        Self {
            dialect,
            algorithms: Algorithm::ALL.to_vec(),
            types: dialect.types.to_vec(),
            required_claims: required_claims.map(Into::into).collect(),
            conditions: Vec::new(),
            leeway: Duration::from_secs(60),
            max_lifetime: dialect.max_lifetime,
            mapping: Mapping::of(dialect),
            bound: None,
            danger_answers_without_audience: false,
            danger_answers_without_type: false,
        }
    }

    /// Any provider: `typ` is `at+jwt`, `JWT` or absent; a subject, or the client of an
    /// application, is required; what looks like an ID token or a logout token is refused.
    pub fn generic() -> Self {
        // No provider recognises an empty issuer.
        Self::of(Dialect::of_issuer(""))
    }

    /// RFC 9068 to the letter: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required.
    pub fn rfc9068() -> Self {
        // The name is in the list: a test holds it there.
        Self::by_name("rfc9068").unwrap_or_else(Self::generic)
    }

    /// The caller's identity if these claims were true. It proves nothing: for explaining.
    pub fn unverified_identity(&self, claims: &Claims) -> Identity {
        Identity::of(claims, self.dialect, &self.mapping)
    }

    /// The profile of this name: see [`DIALECTS`](crate::dialect::DIALECTS).
    pub fn by_name(name: &str) -> Option<Self> {
        Dialect::by_name(name).map(Self::of)
    }

    /// The name of the profile.
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
    /// The claim at this path must have one of these values.
    pub fn new(claim: ClaimPath, values: Vec<ExpectedValue>) -> Self {
        Self { claim, values }
    }

    /// Whether the claim has one of the values.
    pub(crate) fn is_met_by(&self, claims: &Claims) -> bool {
        let Some(found) = self.claim.find(claims) else {
            return false;
        };
        self.values.iter().any(|value| value.is_met_by(found))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` = ", self.claim)?;
        for (index, value) in self.values.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " or " })?;
            match value {
                ExpectedValue::Like(pattern) => write!(f, "{:?}", pattern.as_str())?,
                ExpectedValue::Value(Json::String(text)) => write!(f, "{:?}", &**text)?,
                ExpectedValue::Value(Json::Bool(value)) => value.fmt(f)?,
                ExpectedValue::Value(Json::Number(Number::Integer(integer))) => integer.fmt(f)?,
                // The settings cannot write another value.
                ExpectedValue::Value(_) => f.write_str("another value")?,
            }
        }
        Ok(())
    }
}

impl ExpectedValue {
    fn is_met_by(&self, found: &Json) -> bool {
        match found {
            Json::Array(elements) => elements
                .iter()
                .any(|element| self.is_met_by_one(element)),
            one => self.is_met_by_one(one),
        }
    }

    fn is_met_by_one(&self, found: &Json) -> bool {
        match (self, found) {
            (Self::Value(value), found) => value == found,
            (Self::Like(pattern), Json::String(text)) => pattern.fits(text),
            (Self::Like(_), _) => false,
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    // More seconds than a date can hold are as good as for ever.
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
