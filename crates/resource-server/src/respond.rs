//! From a denial to a response: status, challenge, problem document, and one line in the log.

use crate::server::ResourceServer;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use portcullis_core::Denial;
use portcullis_core::challenge::{Challenge, Problem, challenge};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// A request that may not go on, ready to be answered.
///
/// The client sees the code's fixed phrase; the facts are in the log, under the same request id.
#[derive(Debug)]
pub struct Refused {
    denial: Box<Denial>,
    realm: String,
    request_id: String,
}

impl Refused {
    /// Makes the answer to a request with these headers, and logs the denial.
    pub fn new(denial: Denial, server: &ResourceServer, headers: &HeaderMap) -> Self {
        Self::named(denial, server, request_id(headers))
    }

    /// As [`new`](Self::new), for a request that already has a name.
    pub fn named(denial: Denial, server: &ResourceServer, request_id: String) -> Self {
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

    /// Why.
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
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("Authorization"));
        set(headers, REQUEST_ID, &self.request_id);
        match &*self.denial {
            Denial::Rejection(rejection) => {
                let Challenge {
                    www_authenticate, ..
                } = challenge(rejection, &self.realm);
                set(headers, WWW_AUTHENTICATE, &www_authenticate);
            }
            Denial::Outage(outage) => set(
                headers,
                RETRY_AFTER,
                &outage.retry_after().as_secs().to_string(),
            ),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.denial.fmt(f)
    }
}

impl std::error::Error for Refused {}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// What this request is called in the log: the caller's `x-request-id` if it is short and plain,
/// else a new name.
pub fn request_id(headers: &HeaderMap) -> String {
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let sent = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(plain);
    // The standard library seeds its hashers at random: unique enough to find a line in a log.
    sent.map_or_else(
        || format!("{:016x}", RandomState::new().hash_one(0_u8)),
        str::to_owned,
    )
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
