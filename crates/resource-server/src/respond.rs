//! From a denial to a response: status, challenge, problem document, and one line in the log.

use crate::server::ResourceServer;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use portcullis_core::Denial;
use portcullis_core::challenge::{Problem, challenge};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// The response to a request that is denied.
///
/// The client sees the code's fixed phrase; the facts are in the log, under the same request id.
#[derive(Debug)]
pub struct DenialResponse {
    denial: Box<Denial>,
    realm: String,
    request_id: String,
}

impl DenialResponse {
    /// Makes the answer to a request with these headers, and logs the denial.
    pub fn new(denial: Denial, server: &ResourceServer, headers: &HeaderMap) -> Self {
        Self::with_request_id(denial, server, request_id(headers))
    }

    /// Like [`new`](Self::new), for a request that already has an id.
    pub fn with_request_id(denial: Denial, server: &ResourceServer, request_id: String) -> Self {
        // A rejection is the caller's matter; an outage is for the operator to end.
        match &denial {
            Denial::Rejection(rejection) => {
                tracing::info!(
                    code = %rejection.code(),
                    facts = %rejection.facts(),
                    request_id,
                    "refused",
                );
            }
            Denial::Outage(outage) => {
                tracing::warn!(
                    code = %outage.code(),
                    facts = outage.facts(),
                    request_id,
                    "no decision",
                );
            }
        }
        Self {
            denial: Box::new(denial),
            realm: server.realm().to_owned(),
            request_id,
        }
    }

    /// Why the request is denied.
    pub fn denial(&self) -> &Denial {
        &self.denial
    }

    /// The response: 400, 401 or 403 with a challenge, or 503.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let (status, problem) = match &*self.denial {
            Denial::Rejection(rejection) => (
                rejection.code().entry().status,
                Problem::of_rejection(rejection, &self.request_id),
            ),
            Denial::Outage(outage) => (503, Problem::of_outage(outage, &self.request_id)),
        };
        // A struct of strings and numbers cannot fail to serialize; an empty body would still be a
        // refusal.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(B::from(Bytes::from(body)));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        self.set_headers(response.headers_mut());
        response
    }

    fn set_headers(&self, headers: &mut HeaderMap) {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        // A shared cache must not answer the next caller with this one's denial.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("Authorization"));
        set(headers, REQUEST_ID, &self.request_id);
        match &*self.denial {
            Denial::Rejection(rejection) => {
                let challenge = challenge(rejection, &self.realm);
                set(headers, WWW_AUTHENTICATE, &challenge.www_authenticate);
            }
            // No challenge: it would make the client drop a token that may be good.
            Denial::Outage(outage) => {
                let seconds = outage.retry_after().as_secs().to_string();
                set(headers, RETRY_AFTER, &seconds);
            }
        }
    }
}

impl fmt::Display for DenialResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.denial.fmt(f)
    }
}

impl std::error::Error for DenialResponse {}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The id of this request in the log: the caller's `x-request-id` if it is short and plain, else a
/// new one.
pub fn request_id(headers: &HeaderMap) -> String {
    if let Some(value) = headers.get(REQUEST_ID)
        && let Ok(id) = value.to_str()
        && is_plain(id)
    {
        return id.to_owned();
    }
    // The standard library seeds its hashers at random: unique enough to find a line in a log.
    format!("{:016x}", RandomState::new().hash_one(0_u8))
}

/// Anything else could forge lines or columns of a log.
fn is_plain(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(is_plain)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
