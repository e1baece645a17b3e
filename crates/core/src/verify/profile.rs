//! What the access tokens of one issuer look like.

use crate::jose::Algorithm;
use crate::token::ClaimPath;
use std::fmt;
use std::time::Duration;

/// What is demanded of one issuer's tokens, beyond the issuer and the audience.
///
/// Neither the expiry nor the audience can be made optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What the profile is called.
    pub name: &'static str,
    /// The algorithms that are accepted. A key's own `alg` narrows them further.
    pub algorithms: Vec<Algorithm>,
    /// The values of the header `typ` that are accepted.
    pub types: Vec<TokenType>,
    /// Claims that must be there, besides `iss`, `aud` and `exp`, which always must.
    pub required_claims: Vec<Box<str>>,
    /// How far the clocks of the issuer and of this server may be apart. Default 60 seconds.
    pub leeway: Duration,
    /// How far away `exp` may be. Default 24 hours.
    pub max_lifetime: Duration,
    /// Where roles are found. Default `roles`.
    pub roles: Vec<ClaimPath>,
    /// The tenant that `tid` must name, where one is configured.
    pub tenant: Option<Box<str>>,
}

/// A value of the header `typ` (RFC 7515, section 4.1.9), compared without case, `application/` left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt`: an access token (RFC 9068, section 2.1).
    AccessToken,
    /// `JWT`: any kind of token.
    Jwt,
    /// No `typ` at all.
    Absent,
}

impl Profile {
    /// Any provider: `typ` is `at+jwt`, `JWT` or absent; a subject and the time of issue are required; what
    /// looks like an ID token or a logout token is refused.
    pub fn generic() -> Self {
        Self {
            name: "generic",
            algorithms: Algorithm::ALL.to_vec(),
            types: vec![TokenType::AccessToken, TokenType::Jwt, TokenType::Absent],
            required_claims: ["sub", "iat"].map(Into::into).to_vec(),
            leeway: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            roles: vec![ClaimPath::claim("roles")],
            tenant: None,
        }
    }

    /// RFC 9068 to the letter: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required.
    pub fn rfc9068() -> Self {
        Self {
            name: "rfc9068",
            types: vec![TokenType::AccessToken],
            required_claims: ["sub", "client_id", "iat", "jti"].map(Into::into).to_vec(),
            ..Self::generic()
        }
    }

    /// The profile of this name: `generic` or `rfc9068`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::generic(), Self::rfc9068()].into_iter().find(|profile| profile.name == name)
    }

    pub(crate) fn leeway_seconds(&self) -> i64 {
        seconds(self.leeway)
    }

    pub(crate) fn max_lifetime_seconds(&self) -> i64 {
        seconds(self.max_lifetime)
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

impl TokenType {
    /// The kind that a header's `typ` names; `None` for every other value.
    pub fn of_header(typ: Option<&str>) -> Option<Self> {
        let Some(typ) = typ else { return Some(Self::Absent) };
        let is = |name: &str| typ.eq_ignore_ascii_case(name);
        if is("at+jwt") || is("application/at+jwt") {
            Some(Self::AccessToken)
        } else if is("JWT") || is("application/jwt") {
            Some(Self::Jwt)
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
            Self::Absent => "none",
        })
    }
}
