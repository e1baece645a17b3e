//! From a denial to a response: status, challenge, problem document, and one line in the log.

use crate::possession::DPOP_NONCE;
use crate::server::ResourceServer;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use portcullis_core::challenge::{Problem, challenge};
use portcullis_core::{CodeLinks, Denial, Outage, Rejection};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use tracing::field;

/// Most characters of a name in a log line.
const LONGEST_NAME: usize = 256;

/// The response to a request that is denied.
///
/// The client sees the code's fixed phrase; the facts are in the log, under the same request id.
#[derive(Debug)]
pub struct DenialResponse {
    denial: Box<Denial>,
    realm: String,
    links: CodeLinks,
    request_id: String,
}

impl DenialResponse {
    /// Makes the answer to a request with these headers, and logs the denial.
    pub fn new(denial: Denial, server: &ResourceServer, headers: &HeaderMap) -> Self {
        let request_id = request_id(headers);
        log(&denial, server, &request_id);
        Self::without_log(denial, server, request_id)
    }

    /// Makes the answer to a request that already has an id, and whose denial is logged or recorded
    /// elsewhere.
    pub fn without_log(denial: Denial, server: &ResourceServer, request_id: String) -> Self {
        Self {
            denial: Box::new(denial),
            realm: server.realm().to_owned(),
            links: server.code_links().clone(),
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
        let body = serde_json::to_vec(&problem.with_links(&self.links)).unwrap_or_default();
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
                if let Some(nonce) = &challenge.dpop_nonce {
                    set(headers, DPOP_NONCE, nonce);
                }
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

/// One line for each denial.
fn log(denial: &Denial, server: &ResourceServer, request_id: &str) {
    match denial {
        Denial::Rejection(rejection) => log_rejection(rejection, server, request_id),
        Denial::Outage(outage) => log_outage(outage, server, request_id),
    }
}

fn log_rejection(rejection: &Rejection, server: &ResourceServer, request_id: &str) {
    let caller = rejection.caller();
    let subject = caller.and_then(|caller| caller.subject.as_deref());
    let client = caller.and_then(|caller| caller.client.as_deref());
    let shortfall = caller.and_then(|caller| caller.shortfall.as_ref());
    tracing::info!(
        code = %rejection.code(),
        facts = %rejection.facts(),
        code_url = server.code_links().link(rejection.code().as_str()),
        issuer = caller.map(|caller| &*caller.issuer),
        subject = subject.map(excerpt),
        client = client.map(excerpt),
        required = shortfall.map(|it| field::display(&it.required)),
        present = shortfall.map(|it| field::display(&it.present)),
        request_id,
        "refused",
    );
}

/// An outage is for the operator to end. If its source logs it, a line for each request would only
/// bury that.
fn log_outage(outage: &Outage, server: &ResourceServer, request_id: &str) {
    let (code, facts) = (outage.code().as_str(), outage.facts());
    let code_url = server.code_links().link(code);
    if outage.is_logged() {
        tracing::debug!(code, facts, code_url, request_id, "no decision");
    } else {
        tracing::warn!(code, facts, code_url, request_id, "no decision");
    }
}

/// The beginning of a name: tokens choose how long it is.
fn excerpt(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

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
