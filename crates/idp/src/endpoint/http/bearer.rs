//! Access tokens in the `Authorization` header (RFC 6750, section 2.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The token of the scheme `Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    shown_as(headers, "Bearer")
}

pub(crate) fn shown_as<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let (scheme, token) = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    // The case of a scheme does not matter (RFC 9110, section 11.1).
    scheme
        .eq_ignore_ascii_case(wanted)
        .then_some(token.trim())
}
