//! The door for probes and metrics: whether the process lives, whether it can decide, and its
//! counters.

use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::identity::assertion::KEYS_PATH;
use crate::request::peer::Peer;
use crate::run::shared::Shared;
use crate::telemetry::exposition;
use crate::transport::client_body::ClientBody;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use std::sync::Arc;

/// The administrator's door. It shows no secrets and changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub(crate) Arc<Shared>);

impl Door for Admin {
    const BOUNDED: bool = false;

    async fn answer(&self, _peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        // Nothing here changes anything, so nothing but reading is offered.
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return plain_text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        match request.uri().path() {
            "/live" => plain_text(StatusCode::OK, "alive\n"),
            "/ready" => self.ready(),
            "/metrics" => self.metrics(),
            KEYS_PATH => self.keys(),
            _ => plain_text(StatusCode::NOT_FOUND, "/live, /ready, /metrics\n"),
        }
    }
}

impl Admin {
    /// All figures, in the text format of Prometheus.
    fn metrics(&self) -> Response<Body> {
        let mut response = plain_text(StatusCode::OK, self.0.metrics());
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static(exposition::CONTENT_TYPE),
        );
        response
    }

    /// The public keys of the assertions for upstreams.
    fn keys(&self) -> Response<Body> {
        match self.0.generation().identity.assertions() {
            Some(assertions) => assertions.key_set().map(Body::from),
            None => plain_text(StatusCode::NOT_FOUND, "no `[gateway.identity.assertion]`\n"),
        }
    }

    /// The gateway is ready if it has keys of every issuer and is not about to stop.
    fn ready(&self) -> Response<Body> {
        // A load balancer has to stop sending before the listeners close.
        if self.0.is_stopping() {
            plain_text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else if self.0.generation().policy.server.is_ready() {
            plain_text(StatusCode::OK, "ready\n")
        } else {
            plain_text(
                StatusCode::SERVICE_UNAVAILABLE,
                "waiting for the keys of an issuer\n",
            )
        }
    }
}

fn plain_text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
