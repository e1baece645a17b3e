//! Why a transmitter did not do what it was asked.

use crate::fetch::{Authorization, EndpointResponse, FetchFault};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json};
use portcullis_core::rejection::quote;
use std::error::Error;
use std::fmt;
use std::time::Duration;
use url::Url;

/// Why a transmitter did not do what it was asked. Its text names the address, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransmitterFault {
    /// What happened.
    pub kind: TransmitterFaultKind,
    /// What to do about it, if that is known.
    pub cure: Option<&'static str>,
    /// When to ask again, if the transmitter says so.
    pub retry_after: Option<Duration>,
    text: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransmitterFaultKind {
    /// No response: the network, or the address may not be asked.
    Unreachable,
    /// The transmitter took the request, and did not answer it in time.
    Slow,
    /// A status of 500 or more.
    Failing,
    /// 401: the authorization is missing or not accepted.
    Unauthorized,
    /// 403: the caller may not do this.
    Forbidden,
    /// 404: the transmitter has no stream of this id for this caller, or nothing at this address.
    NotFound,
    /// 409: the caller has a stream already, and may have one only.
    Conflict,
    /// 429: asked too often. [`TransmitterFault::retry_after`] may say when to ask again.
    TooMany,
    /// 202 to a change: accepted, but not done yet.
    Pending,
    /// Any other refusal.
    Refused,
    /// A document or a response that is not what the specification demands.
    Malformed,
    /// The metadata has no endpoint for this.
    Unsupported,
}

impl TransmitterFault {
    pub(super) fn of_content(url: &Url, reason: &str) -> Self {
        Self::of(
            TransmitterFaultKind::Malformed,
            format!("{}: {reason}", without_query(url)),
        )
    }

    pub(super) fn without_endpoint(endpoint: &str) -> Self {
        let text = format!("the transmitter's metadata names no `{endpoint}`");
        Self::of(TransmitterFaultKind::Unsupported, text)
    }

    pub(super) fn of_fetch(fault: &FetchFault) -> Self {
        let kind = if fault.is_unanswered {
            TransmitterFaultKind::Slow
        } else if fault.network.is_none() && fault.absent {
            TransmitterFaultKind::NotFound
        } else {
            TransmitterFaultKind::Unreachable
        };
        Self {
            cure: fault.cure,
            ..Self::of(kind, fault.to_string())
        }
    }

    /// The fault of a response that is no success.
    pub(super) fn of_response(
        url: &Url,
        response: &EndpointResponse,
        authorization: Option<&Authorization>,
        limits: &Limits,
    ) -> Self {
        let (kind, cure) = judge(response.status);
        let mut text = format!("{}: the answer was {}", without_query(url), response.status);
        if matches!(response.status, 300..=399) {
            text.push_str(" (redirects are not followed)");
        }
        if let Some(reason) = reason(&response.body, authorization, limits) {
            text.push_str(", ");
            text.push_str(&reason);
        }
        if let Some(wait) = response.retry_after {
            text.push_str(&format!(", to ask again in {} s", wait.as_secs()));
        }
        Self {
            cure,
            retry_after: response.retry_after,
            ..Self::of(kind, text)
        }
    }

    pub(super) fn of(kind: TransmitterFaultKind, text: String) -> Self {
        Self {
            kind,
            cure: None,
            retry_after: None,
            text,
        }
    }

    #[must_use]
    pub(super) fn with_cure(self, cure: &'static str) -> Self {
        Self {
            cure: Some(cure),
            ..self
        }
    }
}

/// An address without its query, which names a stream and nothing that helps.
fn without_query(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn judge(status: u16) -> (TransmitterFaultKind, Option<&'static str>) {
    match status {
        202 => (
            TransmitterFaultKind::Pending,
            Some("ask again later; the transmitter has taken the request, and not decided on it"),
        ),
        401 => (
            TransmitterFaultKind::Unauthorized,
            Some("give an access token that this transmitter accepts, and that has not expired"),
        ),
        403 => (
            TransmitterFaultKind::Forbidden,
            Some("have the scopes `ssf.manage` or `ssf.read` granted to the client of the token"),
        ),
        404 => (
            TransmitterFaultKind::NotFound,
            Some("list the streams of this client, and use the id of one of them"),
        ),
        409 => (
            TransmitterFaultKind::Conflict,
            Some("use the stream that this client has already, or delete it first"),
        ),
        429 => (
            TransmitterFaultKind::TooMany,
            Some("ask less often; of verifications, `min_verification_interval` says how often"),
        ),
        500.. => (TransmitterFaultKind::Failing, None),
        _ => (TransmitterFaultKind::Refused, None),
    }
}

/// What the transmitter says of its refusal (RFC 8935, section 2.3; RFC 6749, section 5.2).
fn reason(body: &[u8], authorization: Option<&Authorization>, limits: &Limits) -> Option<String> {
    let Ok(Json::Object(object)) = json::parse(body, limits) else {
        return None;
    };
    let member = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| object.get(name)?.as_str())
    };
    let code = member(["err", "error"]);
    let description = member(["description", "error_description"]);
    let reason = match (code, description) {
        (Some(code), Some(description)) => format!("{}: {}", quote(code), quote(description)),
        (Some(text), None) | (None, Some(text)) => quote(text),
        (None, None) => return None,
    };
    // A server that repeats the request would put its token into our logs.
    let secret = authorization.map(|it| it.secret().expose());
    let repeats = |text: &str| {
        secret.is_some_and(|secret| {
            secret
                .split_whitespace()
                .any(|part| part.len() > 7 && text.contains(part))
        })
    };
    (!repeats(code.unwrap_or_default()) && !repeats(description.unwrap_or_default()))
        .then_some(reason)
}

impl fmt::Display for TransmitterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for TransmitterFault {}
