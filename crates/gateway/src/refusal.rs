//! The gateway's own refusals and failures: requests with two readings, peers that may not ask, and
//! upstreams that do not answer.
//!
//! Refused tokens and missing permissions belong to the resource server, with its codes. The form
//! of the answer is the same: a problem document (RFC 9457) with a fixed phrase.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use portcullis_core::CodeLinks;
use portcullis_core::challenge::Problem;
use std::fmt;
use std::time::Duration;

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathFault {
    /// It does not begin with a slash.
    Relative,
    /// A segment is `.` or `..`, plain or escaped, or begins like one.
    DotSegment,
    /// Two slashes in a row.
    EmptySegment,
    /// A slash that is escaped, where the route does not keep them.
    EscapedSlash,
    /// A backslash, plain or escaped.
    HiddenSlash,
    /// A semicolon, plain or escaped.
    Semicolon,
    /// An escape that is not `%` and two hexadecimal digits.
    Escape,
    /// An escaped percent sign before what would be an escape.
    DoubleEscape,
    /// A control character, a space, or a byte beyond ASCII that is not escaped.
    Character,
    /// Escaped bytes that are not UTF-8.
    Utf8,
}

/// Why the gateway does not forward a request, or has no answer for it.
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
    /// The gateway cannot sign the assertion for the upstream.
    Unsigned(&'static str),
    /// A peer that is not trusted asks about a request, with the peer's address.
    Untrusted(String),
    /// The description of the original request is missing, doubled or malformed.
    Original(&'static str),
    /// A header that only the gateway may set, with its name.
    Forged(String),
    /// The caller failed too often, and has to wait for so long.
    FailingCaller(Duration),
    /// Too many requests are under way.
    Busy,
    CallerBusy,
    UpstreamBusy(String),
    /// Too many fields, or too large ones, with the bound.
    TooManyFields(&'static str),
    Unreachable(String),
    TooSlow,
    Broken(String),
    /// The head of the answer exceeds the limits of its upstream.
    AnswerHead(String),
}

/// The fixed part of a refusal.
struct RefusalEntry {
    status: StatusCode,
    code: &'static str,
    phrase: &'static str,
}

impl Refusal {
    const fn entry(&self) -> RefusalEntry {
        let (status, code, phrase) = match self {
            Self::Path(_)
            | Self::Target(_)
            | Self::Host(_)
            | Self::BodyBroken
            | Self::Original(_)
            | Self::Forged(_) => return self.malformed_entry(),
            // 421 lets a client try the host over a connection of its own (RFC 9110, section
            // 15.5.20).
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
            // RFC 9112, section 6.1, asks for 501 here.
            Self::Coding => (
                StatusCode::NOT_IMPLEMENTED,
                "request.coding",
                "this transfer coding is not understood",
            ),
            // Our failure: 401 or 403 would make the client throw a good token away.
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
            Self::BodyTooLarge | Self::BodyTooSlow => return self.body_entry(),
            Self::IdentityTooLong | Self::TooManyFields(_) => return self.too_large_entry(),
            Self::Busy | Self::CallerBusy | Self::UpstreamBusy(_) => return self.no_place_entry(),
            Self::Unreachable(_) | Self::TooSlow | Self::Broken(_) | Self::AnswerHead(_) => {
                return self.upstream_entry();
            }
        };
        RefusalEntry {
            status,
            code,
            phrase,
        }
    }

    /// A body beyond its bounds.
    const fn body_entry(&self) -> RefusalEntry {
        let (status, code, phrase) = match self {
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "request.body",
                "the body is too large",
            ),
            _ => (
                StatusCode::REQUEST_TIMEOUT,
                "request.timeout",
                "the body came too slowly",
            ),
        };
        RefusalEntry {
            status,
            code,
            phrase,
        }
    }

    /// Header fields beyond their bounds.
    const fn too_large_entry(&self) -> RefusalEntry {
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
        RefusalEntry {
            status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            code,
            phrase,
        }
    }

    /// Requests that cannot be read, or can be read in two ways.
    const fn malformed_entry(&self) -> RefusalEntry {
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
        RefusalEntry {
            status: StatusCode::BAD_REQUEST,
            code,
            phrase,
        }
    }

    /// Too many requests are under way.
    const fn no_place_entry(&self) -> RefusalEntry {
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
        RefusalEntry {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code,
            phrase,
        }
    }

    /// The upstream gave no proper answer.
    const fn upstream_entry(&self) -> RefusalEntry {
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
        RefusalEntry {
            status,
            code,
            phrase,
        }
    }

    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        self.entry().code
    }

    /// The phrase for the client.
    pub(crate) const fn phrase(&self) -> &'static str {
        self.entry().phrase
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.entry().status
    }

    /// Whether metrics count it, or its upstream sums it up in the log.
    const fn is_summed_up(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::CallerBusy | Self::UpstreamBusy(_) | Self::FailingCaller(_)
        ) || matches!(
            self,
            Self::Unreachable(_) | Self::TooSlow | Self::Broken(_) | Self::AnswerHead(_)
        )
    }

    /// The time after which the client may try again.
    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(_) | Self::Unsigned(_) => Some(Duration::from_secs(1)),
            Self::Busy | Self::CallerBusy | Self::UpstreamBusy(_) => Some(Duration::from_secs(1)),
            Self::FailingCaller(wait) => Some(*wait),
            _ => None,
        }
    }

    /// The answer, and a line in the log.
    pub(crate) fn into_response<B: From<Bytes>>(
        self,
        request_id: &str,
        links: &CodeLinks,
    ) -> Response<B> {
        let RefusalEntry { status, phrase, .. } = self.entry();
        let code = self.code();
        let code_url = links.link(code);
        if self.is_summed_up() {
            // A flood, or an outage, should not fill the log too.
            tracing::debug!(code, facts = %self, code_url, request_id, "not forwarded");
        } else if status.is_server_error() {
            tracing::warn!(code, facts = %self, code_url, request_id, "not forwarded");
        } else {
            tracing::info!(code, facts = %self, code_url, request_id, "not forwarded");
        }
        let problem = Problem {
            kind: links.problem_type(code),
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
        // A cached refusal would outlive its cause, for other callers too.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(request_id) = HeaderValue::from_str(request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), request_id);
        }
        // `Retry-After: 0` would invite a loop.
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        // A request with two readings may hide another one behind it on the connection.
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
            // Facts of the others would only repeat the phrase.
            _ => f.write_str(self.entry().phrase),
        }
    }
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relative => "a path that does not begin with a slash",
            Self::DotSegment => "a dot segment",
            Self::EmptySegment => "an empty segment",
            Self::EscapedSlash => {
                "an escaped slash, on a route without `encoded_slashes = \"keep\"`"
            }
            Self::HiddenSlash => "a backslash",
            Self::Semicolon => "a semicolon",
            Self::Escape => "a malformed escape",
            Self::DoubleEscape => "a double escape",
            Self::Character => "a character that has no place in a path",
            Self::Utf8 => "escapes that are not UTF-8",
        })
    }
}
