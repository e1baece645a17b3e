//! The library door, over an axum router and a bare tower service, against a real identity
//! provider.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should stop"
)]

mod bound;
mod extractor;
mod header_corpus;
mod layer;
#[cfg(feature = "openapi")]
mod openapi;
mod outages;
mod receivers;
mod resources;
mod streams;
#[cfg(feature = "validate")]
mod valid;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::ResourceServer;
use serde_json::Value;
use tower::ServiceExt as _;

/// A provider, and a server that trusts it.
pub(crate) async fn world() -> (Idp, ResourceServer) {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    (idp, server)
}

/// What came back: the status, the headers, and the body as JSON, or as text.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) async fn call(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

pub(crate) fn get(path: &str, token: Option<&str>) -> Request<Body> {
    let request = Request::get(path);
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Body::empty()).unwrap()
}
