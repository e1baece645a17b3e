//! A request on its way to an upstream.

use crate::decision::policy::ForwardPermit;
use crate::decision::routes::Route;
use crate::forward::request_body::RequestBody;
use crate::refusal::Refusal;
use crate::request::incoming::IncomingRequest;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};
use std::time::Duration;

/// A request that is ready to go. Only a permit makes one, so nothing is forwarded undecided.
pub(crate) struct UpstreamRequest {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) target: PathAndQuery,
    pub(super) host: HeaderValue,
    pub(super) body: RequestBody,
    /// For the head of the answer, from the last piece of the request on.
    pub(super) timeout: Duration,
    /// Whether the connection is to be taken over afterwards.
    pub(super) upgrade: bool,
}

impl UpstreamRequest {
    /// Makes a request to forward of one whose headers are those for the upstream. `base_path` is
    /// the upstream's.
    pub(crate) fn new(
        _: &ForwardPermit,
        request: IncomingRequest<'_>,
        route: &Route,
        base_path: &str,
        body: RequestBody,
        upgrade: bool,
    ) -> Result<Self, Refusal> {
        let host = HeaderValue::from_str(request.target.host.authority());
        Ok(Self {
            target: route.upstream_target(&request.target, base_path)?,
            host: host.map_err(|_| Refusal::Host("a malformed host"))?,
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

/// Whether the length of a body is unknown, of a request whose body the library would drop then.
pub(super) fn lacks_length(method: &Method, body: &RequestBody) -> bool {
    let rare = matches!(*method, Method::GET | Method::HEAD);
    rare && !http_body::Body::is_end_stream(body)
        && http_body::Body::size_hint(body).exact().is_none()
}
