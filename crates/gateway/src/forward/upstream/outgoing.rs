//! A request on its way to an upstream.

use crate::forward::body::{Progress, RequestBody};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method};
use std::sync::Arc;
use std::time::Duration;

/// A request that is ready to go.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) parts: Parts,
    pub(crate) target: PathAndQuery,
    pub(crate) host: HeaderValue,
    pub(crate) body: RequestBody,
    pub(crate) progress: Option<Arc<Progress>>,
    /// For the head of the answer, from the last piece of the request on.
    pub(crate) timeout: Duration,
    /// Whether the connection is to be taken over afterwards.
    pub(crate) upgrade: bool,
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
