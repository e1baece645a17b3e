//! CORS (Fetch, section 3.3): which pages of other origins may read the answers.
//!
//! With `[gateway.cors]` the gateway is the one that speaks: it answers preflights, marks every
//! answer of its own, refusals too, and replaces the marks of upstreams. An origin that is not
//! listed is never named. CORS protects readers in browsers and nothing else: a request whose
//! answer gets no mark is decided like any other.

use crate::decision::cors::CorsRules;
use crate::generation::Generation;
use crate::request::fields::list_members;
use crate::request::incoming::IncomingRequest;
use crate::request::origin::{OriginFault, OriginPattern};
use crate::request::preflight::is_preflight;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap,
    HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{Response, StatusCode};

// A draft of Chromium: it lets public pages call private addresses, so no upstream may say it.
const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Everything by which a server speaks of CORS.
const ALL: [HeaderName; 7] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
    PRIVATE_NETWORK,
];
const QUESTION: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The code of an answered preflight, for proxies that ask.
pub(super) const PREFLIGHT: &str = "cors.preflight";

/// What the answer to one request says of CORS: nothing, where that is left to the upstream.
pub(super) struct CorsMark<'g> {
    rules: Option<&'g CorsRules>,
    /// The value of `Access-Control-Allow-Origin`; `None` for a page that is not allowed.
    allowed: Option<HeaderValue>,
}

impl<'g> CorsMark<'g> {
    /// The mark for a request without a route: it cannot be read, or is out of bounds.
    pub(super) fn without_route(generation: &'g Generation, headers: &HeaderMap) -> Self {
        Self::new(generation.cors.as_ref(), headers)
    }

    /// The mark by the rules of the request's route.
    pub(super) fn by_route(generation: &'g Generation, request: &IncomingRequest<'_>) -> Self {
        Self::new(generation.cors_rules(request), &request.headers)
    }

    /// No mark: an answer that speaks for itself.
    pub(super) fn none() -> Self {
        Self {
            rules: None,
            allowed: None,
        }
    }

    fn new(rules: Option<&'g CorsRules>, headers: &HeaderMap) -> Self {
        Self {
            rules,
            allowed: rules.and_then(|rules| rules.allowed_origin(headers)),
        }
    }

    /// Lets the page read an answer of the gateway, if the rules allow it.
    pub(super) fn add(&self, headers: &mut HeaderMap) {
        let Some(rules) = self.rules else { return };
        // Also where no page calls: a cache would give this unmarked answer to a listed page.
        if !rules.are_for_all() && !varies_by_origin(headers) {
            add_to_vary(headers);
        }
        let Some(allowed) = &self.allowed else { return };
        // `insert`, and not `append`: browsers refuse an answer with two origins.
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, rules.exposed.clone());
        if rules.credentials {
            // `true` is the only value of the header; its absence says no.
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
    }

    /// Removes what the upstream says of CORS, where the gateway speaks: two voices contradict each
    /// other.
    pub(super) fn strip(&self, headers: &mut HeaderMap) {
        // One name that is left, such as `Allow-Credentials`, would count for the gateway's origin.
        // `Vary` stays: the upstream may depend on more than the origin.
        if self.rules.is_some() {
            for name in ALL {
                headers.remove(name);
            }
        }
    }

    /// The answer to a preflight, without what [`add`](Self::add) adds. `None` for any other
    /// request, or where the upstream answers. A page that is not listed is allowed nothing.
    pub(super) fn answer_preflight<B: From<Bytes>>(
        &self,
        request: &IncomingRequest<'_>,
    ) -> Option<Response<B>> {
        let rules = self.rules.filter(|_| is_preflight(request))?;
        let mut response = Response::new(B::from(Bytes::new()));
        // For every page: without the headers a browser stops, whatever the status is.
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(VARY, QUESTION);
        if self.allowed.is_some() {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, rules.methods.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, rules.headers.clone());
            headers.insert(ACCESS_CONTROL_MAX_AGE, rules.max_age.clone());
        } else {
            // No warning: any site can make the browsers of its visitors ask this.
            tracing::info!(
                facts = written_origin(&request.headers),
                request_id = request.id,
                cure = "add it to `gateway.cors.origins` if its pages may call",
                "a page of another origin may not call",
            );
        }
        Some(response)
    }
}

/// The origin for the log, if it is one: whatever else a client writes there is not repeated.
fn written_origin(headers: &HeaderMap) -> String {
    let text = headers
        .get(ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    match text.map(OriginPattern::parse) {
        Some(Ok(origin)) => origin.to_string(),
        Some(Err(OriginFault::Null)) => "null".to_owned(),
        _ => "malformed".to_owned(),
    }
}

/// Tells caches that the answer depends on the origin. In one field with what others say: a proxy
/// that copies the field may copy the first one only.
fn add_to_vary(headers: &mut HeaderMap) {
    let mut names: Vec<&str> = list_members(headers, &VARY).collect();
    names.push("Origin");
    if let Ok(joined) = HeaderValue::try_from(names.join(", ")) {
        headers.insert(VARY, joined);
    }
}

/// Whether caches know already that the answer depends on the origin.
fn varies_by_origin(headers: &HeaderMap) -> bool {
    list_members(headers, &VARY).any(|name| name == "*" || name.eq_ignore_ascii_case("origin"))
}
