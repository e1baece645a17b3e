//! Why a document or a response could not be had.

use super::{NetworkCause, NetworkFault};
use reqwest::StatusCode;
use std::error::Error;
use std::fmt;
use url::Url;

/// Why a document or a response could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchFault {
    url: String,
    /// Why, in words.
    pub reason: String,
    /// Whether the server itself answered that there is no such document.
    pub absent: bool,
    /// What to do about it, if that is known.
    pub cure: Option<&'static str>,
    /// What is in the way, if there was no response.
    pub network: Option<NetworkCause>,
    /// Whether the server took the request, and did not answer it in time.
    pub(crate) is_unanswered: bool,
}

impl FetchFault {
    pub(super) fn of(url: &Url, reason: String) -> Self {
        Self {
            url: url.to_string(),
            reason,
            absent: false,
            cure: None,
            network: None,
            is_unanswered: false,
        }
    }

    /// A request that got no response.
    pub(super) fn of_network(url: &Url, fault: &NetworkFault) -> Self {
        // Only here: the words of the libraries help who looks for a bug, and nobody else.
        tracing::debug!("{url}: {}", fault.chain());
        Self {
            cure: Some(fault.cause().cure()),
            network: Some(fault.cause()),
            ..Self::of(url, fault.to_string())
        }
    }

    /// A status other than the expected one. `location` is where it redirects to.
    pub(super) fn of_status(url: &Url, status: StatusCode, location: Option<&str>) -> Self {
        let redirected = match location.and_then(|location| url.join(location).ok()) {
            // Without its query, which may hold anything.
            Some(to) => format!(
                ", a redirect to {}{} (redirects are not followed)",
                to.origin().ascii_serialization(),
                to.path()
            ),
            None if status.is_redirection() => " (redirects are not followed)".to_owned(),
            None => String::new(),
        };
        let cure = "name the address that it redirects to, if you trust it";
        Self {
            cure: status.is_redirection().then_some(cure),
            // A server that is up and says no: another address of the issuer may know better.
            absent: status.is_client_error(),
            ..Self::of(
                url,
                format!("the answer was {}{redirected}", status.as_u16()),
            )
        }
    }
}

impl fmt::Display for FetchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.reason)
    }
}

impl Error for FetchFault {}
