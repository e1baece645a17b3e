//! Which web pages may ask from a browser (CORS): those of the origins in the settings, and without
//! cookies.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method};
use std::time::Duration;
use tower_http::cors::CorsLayer;

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Swagger UI sends it with its token requests.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

pub(crate) fn layer(origins: &[String]) -> CorsLayer {
    let origins = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    // No credentials: the session cookie must not be usable from other origins.
    CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, DPOP, REQUESTED_WITH])
        .expose_headers([WWW_AUTHENTICATE, DPOP_NONCE])
        // Browsers ask again after ten minutes at most.
        .max_age(Duration::from_secs(600))
}
