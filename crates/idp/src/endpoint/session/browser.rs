//! The cookie by which a browser is known again after a user signed in.

use crate::state::State;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use url::Url;

/// The secret that this browser holds; empty where it holds none.
pub(crate) fn secret<'h>(state: &State, headers: &'h HeaderMap) -> &'h str {
    let name = name(state);
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut cookies = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.split_once('='));
    cookies
        .find(|(named, _)| named.trim() == name)
        .map(|(_, value)| value.trim())
        .unwrap_or_default()
}

/// Gives a browser a secret; an empty one takes it away. Other sites' forms do not send it
/// (`SameSite`).
pub(crate) fn with_secret(state: &State, mut response: Response, secret: &str) -> Response {
    let name = name(state);
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

/// Browsers share cookies between the ports of a host, where other providers may be.
fn name(state: &State) -> String {
    let port = Url::parse(&state.base)
        .ok()
        .and_then(|base| base.port_or_known_default());
    format!("portcullis-idp-{}", port.unwrap_or_default())
}
