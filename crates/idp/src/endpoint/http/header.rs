//! Header values as text.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HeaderName};

/// The value of a header; empty if it is missing or not text.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    match headers.get(name) {
        Some(value) => value.to_str().unwrap_or_default(),
        None => "",
    }
}

/// Whether the body is of this media type, whatever its parameters.
pub(crate) fn is_body_of(headers: &HeaderMap, media_type: &str) -> bool {
    // Media types are case-insensitive (RFC 9110, section 8.3.1).
    let value = text(headers, CONTENT_TYPE)
        .trim_start()
        .to_ascii_lowercase();
    value.starts_with(media_type)
}
