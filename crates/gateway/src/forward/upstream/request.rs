//! A request on its way to an upstream.

use crate::decision::policy::ForwardPermit;
use crate::decision::routes::Route;
use crate::forward::request_body::RequestBody;
use crate::refusal::Refusal;
use crate::request::incoming::IncomingRequest;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};
use http_body::Body as _;
use std::time::Duration;

/// A request that is ready to be sent. Making one takes a permit, so nothing is forwarded without a
/// decision.
pub(crate) struct UpstreamRequest {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) target: PathAndQuery,
    pub(super) host: HeaderValue,
    pub(super) body: RequestBody,
    /// For the head of the response, from the last piece of the request on.
    pub(super) timeout: Duration,
    /// Whether the client wants to take over the connection afterwards.
    pub(super) upgrade: bool,
}

impl UpstreamRequest {
    /// Makes the request for an upstream. The headers are those for the upstream already;
    /// `base_path` is the upstream's.
    pub(crate) fn new(
        _: &ForwardPermit,
        request: IncomingRequest<'_>,
        route: &Route,
        base_path: &str,
        body: RequestBody,
        upgrade: bool,
    ) -> Result<Self, Refusal> {
        let Ok(host) = HeaderValue::from_str(request.target.host.authority()) else {
            return Err(Refusal::Host("a malformed host"));
        };
        Ok(Self {
            target: route.upstream_target(&request.target, base_path)?,
            host,
            method: request.method,
            headers: request.headers,
            body,
            timeout: route.response_timeout,
            upgrade,
        })
    }
}

/// Methods that change nothing (RFC 9110, section 9.2.1).
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a request needs `Transfer-Encoding` written by us: it has a body of unknown length.
pub(super) fn lacks_length(method: &Method, body: &RequestBody) -> bool {
    // For other methods hyper writes it. For these two it would drop the body.
    matches!(*method, Method::GET | Method::HEAD)
        && !body.is_end_stream()
        && body.size_hint().exact().is_none()
}
