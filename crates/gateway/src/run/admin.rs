//! The listener for probes and metrics: whether the process lives, whether it can decide, and what
//! it counted.

use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::identity::assertion::KEYS;
use crate::request::peer::Peer;
use crate::run::state::GatewayState;
use crate::telemetry::exposition;
use crate::transport::client_body::ClientBody;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use std::sync::Arc;

/// The administrator's door. It tells no secrets, and nothing can be changed through it.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub(crate) Arc<GatewayState>);

impl Door for Admin {
    const BOUNDED: bool = false;

    async fn answer(&self, _peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return told(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        match request.uri().path() {
            "/live" => told(StatusCode::OK, "alive\n"),
            "/ready" => self.ready(),
            "/metrics" => self.metrics(),
            KEYS => self.keys(),
            _ => told(StatusCode::NOT_FOUND, "/live, /ready, /metrics\n"),
        }
    }
}

impl Admin {
    /// What there is to count, in the text format of Prometheus.
    fn metrics(&self) -> Response<Body> {
        let mut response = told(StatusCode::OK, self.0.metrics());
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
            None => told(StatusCode::NOT_FOUND, "no `[gateway.identity.assertion]`\n"),
        }
    }

    /// Ready is who has keys of every issuer, and is not about to stop.
    fn ready(&self) -> Response<Body> {
        if self.0.is_stopping() {
            told(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else if self.0.generation().policy.server.is_ready() {
            told(StatusCode::OK, "ready\n")
        } else {
            told(
                StatusCode::SERVICE_UNAVAILABLE,
                "waiting for the keys of an issuer\n",
            )
        }
    }
}

fn told(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
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
