//! The cookie of a browser's session.

use crate::state::IdpState;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use url::Url;

/// The secret in the browser's cookie; empty without one.
pub(crate) fn secret<'h>(state: &IdpState, headers: &'h HeaderMap) -> &'h str {
    let name = name(state);
    for value in headers.get_all(COOKIE) {
        for cookie in value.to_str().unwrap_or_default().split(';') {
            if let Some((named, secret)) = cookie.split_once('=')
                && named.trim() == name
            {
                return secret.trim();
            }
        }
    }
    ""
}

/// Sets the cookie; an empty secret removes it. Forms of other sites do not send it (`SameSite`).
pub(crate) fn with_secret(state: &IdpState, mut response: Response, secret: &str) -> Response {
    let name = name(state);
    // Browsers drop `Secure` cookies over plain http.
    let secure = if state.base.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let over = if secret.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}{over}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The port is in the name, because browsers share cookies between all ports of a host.
fn name(state: &IdpState) -> String {
    let port = match Url::parse(&state.base) {
        Ok(base) => base.port_or_known_default().unwrap_or_default(),
        Err(_) => 0,
    };
    format!("portcullis-idp-{port}")
}
