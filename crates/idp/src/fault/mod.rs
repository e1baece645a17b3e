//! Faults on command, so that tests can see what becomes of a provider's failures.

pub(crate) mod endpoint;
pub(crate) mod flaw;
pub(crate) mod order;
pub(crate) mod switches;

use portcullis_core::ConfigError;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What an endpoint does instead of answering properly.
///
/// Written as text, as [`FromStr`] reads it, each has the name that is given here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `none`: it answers properly.
    #[default]
    None,
    /// `500`: it answers 500.
    InternalError,
    /// `html`: it answers 200 with a web page.
    Html,
    /// `huge`: it answers 200 with a document of 10 MB.
    Huge,
    /// `redirect`: it redirects to itself.
    Redirect,
    /// `hang`: it never answers.
    Hang,
    /// `empty`: it answers with an object that has no keys, or no members.
    Empty,
    /// `truncated`: it answers with the first half of the document.
    Truncated,
    /// `401`: it answers 401 `invalid_client`, whoever asks.
    Unauthorized,
    /// `invalid_request`: it answers 400 with this error (RFC 6749, section 5.2).
    InvalidRequest,
    /// `invalid_grant`: it answers 400 with this error, as for a refresh token that has ended.
    InvalidGrant,
    /// `invalid_scope`: it answers 400 with this error.
    InvalidScope,
    /// `unauthorized_client`: it answers 400 with this error.
    UnauthorizedClient,
    /// `unsupported_grant_type`: it answers 400 with this error.
    UnsupportedGrantType,
    /// `429`: it answers 429, with `Retry-After: 7`.
    TooManyRequests,
    /// `slow:250`: it answers properly, but so many milliseconds late.
    Slow(Duration),
    /// `garbage`: it answers 200 with bytes that are no JSON and no UTF-8.
    Garbage,
    /// `closed`: it closes the connection and answers nothing. Behind a server of one's own
    /// ([`router`](crate::Idp::router)) it never answers.
    Closed,
    /// `wrong-issuer`: the issuer that the document names is another one.
    WrongIssuer,
}

impl Fault {
    /// Every fault, and one of each length where there are lengths.
    pub const ALL: [Self; 19] = [
        Self::None,
        Self::InternalError,
        Self::Html,
        Self::Huge,
        Self::Redirect,
        Self::Hang,
        Self::Empty,
        Self::Truncated,
        Self::Unauthorized,
        Self::InvalidRequest,
        Self::InvalidGrant,
        Self::InvalidScope,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::TooManyRequests,
        Self::Slow(Duration::from_secs(2)),
        Self::Garbage,
        Self::Closed,
        Self::WrongIssuer,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::InternalError => "500",
            Self::Html => "html",
            Self::Huge => "huge",
            Self::Redirect => "redirect",
            Self::Hang => "hang",
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::Unauthorized => "401",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::TooManyRequests => "429",
            Self::Slow(late) => return write!(f, "slow:{}", late.as_millis()),
            Self::Garbage => "garbage",
            Self::Closed => "closed",
            Self::WrongIssuer => "wrong-issuer",
        })
    }
}

impl FromStr for Fault {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        // Before the list, which holds only one of all the delays.
        if let Some(late) = name
            .strip_prefix("slow:")
            .and_then(|late| late.parse::<u32>().ok())
        {
            return Ok(Self::Slow(Duration::from_millis(late.into())));
        }
        Self::ALL
            .into_iter()
            .find(|fault| fault.to_string() == name)
            .ok_or_else(|| {
                let names = Self::ALL.map(|fault| fault.to_string()).join(", ");
                ConfigError::expected("fault", "a fault (500, slow, garbage, ...)")
                    .found(name)
                    .help(format!(
                        "write one of {names}, with any milliseconds; `500*2` is for two requests"
                    ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::endpoint::Endpoint;

    #[test]
    fn names_are_read_as_they_are_written() {
        for fault in Fault::ALL {
            assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }
        for endpoint in Endpoint::ALL {
            assert_eq!(endpoint.name().parse::<Endpoint>().unwrap(), endpoint);
        }
        assert_eq!(
            "slow:7".parse::<Fault>().unwrap(),
            Fault::Slow(Duration::from_millis(7))
        );
        for unknown in ["", "slow", "slow:", "slow:-1", "slow:99999999999", "None"] {
            assert!(unknown.parse::<Fault>().is_err(), "{unknown}");
        }
    }
}
