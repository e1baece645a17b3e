//! Which web pages may ask from a browser (CORS): those on loopback and those of the origins in the
//! settings, without cookies.
//!
//! A page on loopback is the developer's own: an application, or Swagger UI with its button
//! Authorize. It gets no more than any program on that machine.

use crate::config::address::is_loopback_origin;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Swagger UI sends it with its token requests.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

pub(crate) fn layer(origins: &[String]) -> CorsLayer {
    let origins = origins.to_vec();
    let may_ask = move |origin: &HeaderValue, _: &Parts| {
        let text = origin.to_str().unwrap_or_default();
        is_loopback_origin(text) || origins.iter().any(|listed| listed == text)
    };
    // No credentials: the session cookie must not be usable from other origins.
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(may_ask))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, DPOP, REQUESTED_WITH])
        .expose_headers([WWW_AUTHENTICATE, DPOP_NONCE])
        // Browsers ask again after ten minutes at most.
        .max_age(Duration::from_secs(600))
}
