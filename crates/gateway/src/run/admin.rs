//! The door for probes and metrics: whether the process is alive, whether it is ready to decide,
//! and its counters.
//!
//! It names issuers, which are in every token, and never why one of them cannot be reached: the log
//! says that.

use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::identity::assertion::KEYS_PATH;
use crate::request::peer::Peer;
use crate::run::state::GatewayState;
use crate::telemetry::exposition;
use crate::transport::client_body::ClientBody;
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use portcullis_resource_server::MissingPart;
use serde::Serialize;
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
            // `/health` and `/healthz` are what platforms ask unless they are told otherwise.
            "/live" | "/health" | "/healthz" => Probe::new("alive").respond(request.headers()),
            "/ready" => self.ready().respond(request.headers()),
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
        response
            .headers_mut()
            .insert(CONTENT_TYPE, content_type);
        response
    }

    /// The public keys of the assertions for upstreams.
    fn keys(&self) -> Response<Body> {
        match self.0.generation().identity.assertions() {
            Some(assertions) => assertions.key_set().map(Body::from),
            None => plain_text(StatusCode::NOT_FOUND, "no `[gateway.identity.assertion]`\n"),
        }
    }

    /// Ready: the server has all that it needs to decide, and the gateway is not stopping.
    fn ready(&self) -> Probe {
        // First: a load balancer must stop sending requests before the drain ends.
        if self.0.is_stopping() {
            return Probe::new("stopping");
        }
        let missing = self.0.generation().policy.server.missing_parts();
        match missing.is_empty() {
            true => Probe::new("ready"),
            false => Probe {
                waiting_for: missing.iter().map(Lack::from).collect(),
                ..Probe::new("waiting")
            },
        }
    }
}

/// The answer to a probe: lines, or JSON for a client that asks for it.
#[derive(Debug, Serialize)]
struct Probe {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting_for: Vec<Lack>,
}

/// One thing that is waited for.
#[derive(Debug, Serialize)]
struct Lack {
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip)]
    text: String,
}

impl From<&MissingPart> for Lack {
    fn from(missing: &MissingPart) -> Self {
        Self {
            what: missing.name(),
            issuer: missing.issuer().map(ToString::to_string),
            text: missing.to_string(),
        }
    }
}

impl Probe {
    fn new(status: &'static str) -> Self {
        Self {
            status,
            waiting_for: Vec::new(),
        }
    }

    fn respond(&self, headers: &HeaderMap) -> Response<Body> {
        let status = match self.status {
            "alive" | "ready" => StatusCode::OK,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        // Lines by default: probes read the status alone, and people read the rest.
        if !wants_json(headers) {
            return plain_text(status, self.lines());
        }
        let mut response = plain_text(status, serde_json::to_vec(self).unwrap_or_default());
        let content_type = HeaderValue::from_static("application/json");
        response
            .headers_mut()
            .insert(CONTENT_TYPE, content_type);
        response
    }

    fn lines(&self) -> String {
        if self.waiting_for.is_empty() {
            return format!("{}\n", self.status);
        }
        let mut lines = String::new();
        for lack in &self.waiting_for {
            lines.push_str(&format!("waiting for {}\n", lack.text));
        }
        lines
    }
}

/// Whether the client names JSON. `*/*` gets lines, as a person with curl does.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|text| text.contains("application/json"))
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
