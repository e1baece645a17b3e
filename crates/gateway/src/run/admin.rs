//! The door for probes and metrics: whether the process is alive, whether it is ready to decide,
//! and its counters.

use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::identity::assertion::KEYS_PATH;
use crate::request::peer::Peer;
use crate::run::state::GatewayState;
use crate::telemetry::exposition;
use crate::transport::client_body::ClientBody;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use std::sync::Arc;

/// The administrator's door. It reveals no secrets, and changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub(crate) Arc<GatewayState>);

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
    /// All metrics, in the text format of Prometheus.
    fn metrics(&self) -> Response<Body> {
        let mut response = plain_text(StatusCode::OK, self.0.metrics());
        let content_type = HeaderValue::from_static(exposition::CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    }

    /// The public keys of the assertions for upstreams.
    fn keys(&self) -> Response<Body> {
        match self.0.generation().identity.assertions() {
            Some(assertions) => assertions.key_set().map(Body::from),
            None => plain_text(StatusCode::NOT_FOUND, "no `[gateway.identity.assertion]`\n"),
        }
    }

    /// Ready: the keys of every issuer are loaded, and the gateway is not stopping.
    fn ready(&self) -> Response<Body> {
        // First: a load balancer must stop sending requests before the drain ends.
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
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, content_type);
    // A cache in between would show a state that has passed.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
