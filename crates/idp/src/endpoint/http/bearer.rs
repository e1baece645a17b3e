//! Access tokens in the `Authorization` header (RFC 6750, section 2.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The token behind `Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    shown_as(headers, "Bearer")
}

pub(crate) fn shown_as<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let (scheme, token) = value?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| token.trim())
}
