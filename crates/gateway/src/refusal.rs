//! What the gateway itself refuses, or cannot do: requests with two readings, peers that may not
//! ask, and upstreams that do not answer.
//!
//! Refused tokens and missing permissions are not here: they are the resource server's, with its
//! codes. The form of the answer is the same, a problem document (RFC 9457) with a fixed phrase.

use crate::request::path::PathFault;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use portcullis_core::Denial;
use portcullis_core::challenge::Problem;
use portcullis_resource_server::{DenialResponse, ResourceServer};
use std::fmt;
use std::time::Duration;

/// Why there is no answer of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Path(PathFault),
    Target(&'static str),
    Host(&'static str),
    Misdirected,
    Method,
    BodyTooLarge,
    BodyTooSlow,
    /// The body is malformed, or ended early.
    BodyBroken,
    /// A transfer coding besides `chunked`.
    Coding,
    IdentityTooLong,
    /// The upstream cannot be told who calls.
    Unsigned(&'static str),
    /// Somebody asks for another one who may not, with what is seen of him.
    Untrusted(String),
    /// What is told of the original request is missing, doubled or malformed.
    Original(&'static str),
    /// A header that only the gateway may set, with its name.
    Forged(String),
    /// For how long its caller has to wait.
    FailingCaller(Duration),
    /// There are too many requests under way.
    Busy,
    CallerBusy,
    UpstreamBusy(String),
    /// Fields out of bounds, and which bound.
    TooManyFields(&'static str),
    Unreachable(String),
    TooSlow,
    Broken(String),
    /// The head of the answer exceeds the limits of its upstream.
    AnswerHead(String),
}

/// Why a request is not forwarded.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The gateway itself refuses it.
    Refusal(Refusal),
    /// The resource server denies it.
    Denial(Denial),
}

/// All that is fixed about a refusal.
struct Entry {
    status: StatusCode,
    code: &'static str,
    phrase: &'static str,
}

impl Refusal {
    const fn entry(&self) -> Entry {
        let (status, code, phrase) = match self {
            Self::Path(_)
            | Self::Target(_)
            | Self::Host(_)
            | Self::BodyBroken
            | Self::Original(_)
            | Self::Forged(_) => return self.malformed(),
            Self::Misdirected => (
                StatusCode::MISDIRECTED_REQUEST,
                "request.misdirected",
                "this host is not served here",
            ),
            Self::Method => (
                StatusCode::NOT_IMPLEMENTED,
                "request.method",
                "this method is not forwarded",
            ),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "request.body",
                "the body is too large",
            ),
            Self::BodyTooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "request.timeout",
                "the body came too slowly",
            ),
            Self::Coding => (
                StatusCode::NOT_IMPLEMENTED,
                "request.coding",
                "this transfer coding is not understood",
            ),
            Self::Unsigned(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "gateway.assertion",
                "the gateway cannot vouch for the caller at the moment",
            ),
            Self::Untrusted(_) => (
                StatusCode::FORBIDDEN,
                "door.untrusted",
                "this peer may not ask about requests of others",
            ),
            Self::FailingCaller(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "request.refused_too_often",
                "too many requests from this address were refused",
            ),
            Self::IdentityTooLong | Self::TooManyFields(_) => return self.too_large(),
            Self::Busy | Self::CallerBusy | Self::UpstreamBusy(_) => return self.no_place(),
            Self::Unreachable(_) | Self::TooSlow | Self::Broken(_) | Self::AnswerHead(_) => {
                return self.of_upstream();
            }
        };
        Entry {
            status,
            code,
            phrase,
        }
    }

    /// Header fields beyond their bounds.
    const fn too_large(&self) -> Entry {
        let (code, phrase) = match self {
            Self::IdentityTooLong => (
                "request.identity",
                "what the access token says does not fit into a header",
            ),
            _ => (
                "request.fields",
                "the request has too many header fields, or too large ones",
            ),
        };
        Entry {
            status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            code,
            phrase,
        }
    }

    /// What cannot be read, or can be read in two ways.
    const fn malformed(&self) -> Entry {
        let (code, phrase) = match self {
            Self::Path(_) => ("request.path", "the path has more than one reading"),
            Self::Target(_) => ("request.target", "the request target is malformed"),
            Self::Host(_) => ("request.host", "the host is missing or malformed"),
            Self::BodyBroken => ("request.framing", "the body is malformed or incomplete"),
            Self::Original(_) => (
                "door.original",
                "the original request is not told, or malformed",
            ),
            _ => (
                "request.header",
                "a header says what only the gateway may say",
            ),
        };
        Entry {
            status: StatusCode::BAD_REQUEST,
            code,
            phrase,
        }
    }

    /// Too many requests are under way.
    const fn no_place(&self) -> Entry {
        let (code, phrase) = match self {
            Self::CallerBusy => (
                "gateway.caller_busy",
                "too many requests from this address are under way; try again in a moment",
            ),
            Self::UpstreamBusy(_) => (
                "upstream.busy",
                "too many requests to the server behind the gateway are under way; try again in a \
                    moment",
            ),
            _ => (
                "gateway.busy",
                "too many requests are under way; try again in a moment",
            ),
        };
        Entry {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code,
            phrase,
        }
    }

    /// The upstream gave no proper answer.
    const fn of_upstream(&self) -> Entry {
        let (status, code, phrase) = match self {
            Self::Unreachable(_) => (
                StatusCode::BAD_GATEWAY,
                "upstream.unreachable",
                "the server behind the gateway cannot be reached",
            ),
            Self::TooSlow => (
                StatusCode::GATEWAY_TIMEOUT,
                "upstream.timeout",
                "the server behind the gateway does not answer",
            ),
            Self::AnswerHead(_) => (
                StatusCode::BAD_GATEWAY,
                "upstream.head",
                "the head of the answer is larger than the gateway allows for this server",
            ),
            _ => (
                StatusCode::BAD_GATEWAY,
                "upstream.broken",
                "the server behind the gateway answers badly",
            ),
        };
        Entry {
            status,
            code,
            phrase,
        }
    }

    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        self.entry().code
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.entry().status
    }

    /// Whether it is for want of a place, so that there may be one in a moment.
    const fn is_for_want_of_a_place(&self) -> bool {
        matches!(self, Self::Busy | Self::CallerBusy | Self::UpstreamBusy(_))
    }

    /// When it makes sense to ask again.
    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(_) | Self::Unsigned(_) => Some(Duration::from_secs(1)),
            Self::Busy | Self::CallerBusy | Self::UpstreamBusy(_) => Some(Duration::from_secs(1)),
            Self::FailingCaller(wait) => Some(*wait),
            _ => None,
        }
    }

    /// The answer, and a line in the log.
    pub(crate) fn into_response<B: From<Bytes>>(self, request_id: &str) -> Response<B> {
        let Entry { status, phrase, .. } = self.entry();
        let code = self.code();
        if self.is_for_want_of_a_place() || matches!(self, Self::FailingCaller(_)) {
            // Counted, not told one by one: who floods should not fill the log too.
            tracing::debug!(code, facts = %self, request_id, "not forwarded");
        } else if status.is_server_error() {
            tracing::warn!(code, facts = %self, request_id, "not forwarded");
        } else {
            tracing::info!(code, facts = %self, request_id, "not forwarded");
        }
        let problem = Problem {
            kind: format!("urn:portcullis:{code}"),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: phrase,
            code,
            request_id,
        };
        // A struct of strings and numbers cannot fail to serialize; an empty body would still be a
        // refusal.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(B::from(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(request_id) = HeaderValue::from_str(request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), request_id);
        }
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        // Whoever writes requests with two readings may have written another one behind.
        if matches!(
            self,
            Self::Target(_)
                | Self::Host(_)
                | Self::Method
                | Self::Coding
                | Self::BodyTooLarge
                | Self::BodyTooSlow
                | Self::BodyBroken
        ) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl RequestError {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refusal(refusal) => refusal.code(),
            Self::Denial(denial) => denial.code(),
        }
    }

    /// The answer, and a line in the log.
    pub(crate) fn into_response<B: From<Bytes>>(
        self,
        server: &ResourceServer,
        request_id: String,
    ) -> Response<B> {
        match self {
            Self::Refusal(refusal) => refusal.into_response(&request_id),
            Self::Denial(denial) => {
                DenialResponse::with_request_id(denial, server, request_id).into_response()
            }
        }
    }
}

impl From<Refusal> for RequestError {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Denial> for RequestError {
    fn from(denial: Denial) -> Self {
        Self::Denial(denial)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(fault) => fault.fmt(f),
            Self::Target(fact) | Self::Host(fact) | Self::Original(fact) | Self::Unsigned(fact) => {
                f.write_str(fact)
            }
            Self::TooManyFields(fact) => f.write_str(fact),
            Self::Untrusted(facts)
            | Self::Forged(facts)
            | Self::Unreachable(facts)
            | Self::Broken(facts)
            | Self::UpstreamBusy(facts) => f.write_str(facts),
            Self::AnswerHead(facts) => {
                write!(
                    f,
                    "{facts}; raise `headers` or `header_bytes` of the upstream if this is meant"
                )
            }
            _ => f.write_str(self.entry().phrase),
        }
    }
}
