//! Faults on command, so that tests can see what becomes of a provider's failures.

use portcullis_core::ConfigError;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
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

/// The endpoints that can be made to fail, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// `metadata`: the metadata, of OAuth and of OpenID Connect.
    Metadata,
    /// `jwks`: the key set.
    Jwks,
    /// `authorize`: the page on which users sign in.
    Authorize,
    /// `token`: the token endpoint.
    Token,
    /// `userinfo`: UserInfo.
    UserInfo,
    /// `introspection`: introspection, and Google's `tokeninfo`.
    Introspection,
    /// `revocation`: revocation.
    Revocation,
    /// `par`: pushed authorization requests.
    PushedRequests,
    /// `device`: the device authorization endpoint.
    DeviceAuthorization,
    /// `graph`: the imitation of Microsoft Graph.
    Graph,
}

impl Fault {
    /// Every fault, and one of each length where there are lengths.
    pub const ALL: [Self; 14] = [
        Self::None,
        Self::InternalError,
        Self::Html,
        Self::Huge,
        Self::Redirect,
        Self::Hang,
        Self::Empty,
        Self::Truncated,
        Self::Unauthorized,
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
                    .help(format!("write one of {names}, with any milliseconds"))
            })
    }
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 10] = [
        Self::Metadata,
        Self::Jwks,
        Self::Authorize,
        Self::Token,
        Self::UserInfo,
        Self::Introspection,
        Self::Revocation,
        Self::PushedRequests,
        Self::DeviceAuthorization,
        Self::Graph,
    ];

    /// The name in requests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Jwks => "jwks",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::UserInfo => "userinfo",
            Self::Introspection => "introspection",
            Self::Revocation => "revocation",
            Self::PushedRequests => "par",
            Self::DeviceAuthorization => "device",
            Self::Graph => "graph",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Endpoint {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.name() == name)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                ConfigError::expected("endpoint", "an endpoint that can fail")
                    .found(name)
                    .help(format!("write one of {names}"))
            })
    }
}

/// The switches and the counters of all endpoints.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    switches: [Switch; Endpoint::ALL.len()],
}

#[derive(Debug, Default)]
struct Switch {
    fault: Mutex<Fault>,
    requests: AtomicU64,
}

impl Switches {
    pub(crate) fn set(&self, endpoint: Endpoint, fault: Fault) {
        if let Some(switch) = self.of(endpoint) {
            *switch.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        }
    }

    /// How an endpoint is to answer.
    pub(crate) fn fault(&self, endpoint: Endpoint) -> Fault {
        let set = self
            .of(endpoint)
            .map(|switch| *switch.fault.lock().unwrap_or_else(PoisonError::into_inner));
        set.unwrap_or_default()
    }

    /// Counts a request, and says how to answer it.
    pub(crate) fn request(&self, endpoint: Endpoint) -> Fault {
        if let Some(switch) = self.of(endpoint) {
            switch.requests.fetch_add(1, Ordering::SeqCst);
        }
        self.fault(endpoint)
    }

    pub(crate) fn requests(&self, endpoint: Endpoint) -> u64 {
        self.of(endpoint)
            .map(|switch| switch.requests.load(Ordering::SeqCst))
            .unwrap_or_default()
    }

    fn of(&self, endpoint: Endpoint) -> Option<&Switch> {
        let place = Endpoint::ALL.iter().position(|known| *known == endpoint)?;
        self.switches.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
