//! Why a document or a response could not be had.

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
}

impl FetchFault {
    pub(super) fn of(url: &Url, reason: String) -> Self {
        Self {
            url: url.to_string(),
            reason,
            absent: false,
        }
    }

    /// A status other than the expected one.
    pub(super) fn of_status(url: &Url, status: StatusCode) -> Self {
        let redirected = if status.is_redirection() {
            " (redirects are not followed)"
        } else {
            ""
        };
        Self {
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

/// An error with its causes: the HTTP client's own message leaves out why.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    if error.is_timeout() {
        parts.push("no answer in time".to_owned());
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        parts.push(error.to_string());
        cause = error.source();
    }
    if parts.is_empty() {
        return "the request failed".to_owned();
    }
    parts.join(": ")
}
