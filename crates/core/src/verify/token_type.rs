//! The kinds of token that a header can name.

use std::fmt;

/// A value of the header `typ` (RFC 7515, section 4.1.9), compared without case, `application/`
/// left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

impl TokenType {
    /// The kind that a header's `typ` names; `None` for every other value.
    pub fn of_header(typ: Option<&str>) -> Option<Self> {
        let Some(typ) = typ else {
            return Some(Self::Absent);
        };
        let is = |name: &str| typ.eq_ignore_ascii_case(name);
        // Media types have no case, and `application/` may be left out.
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
