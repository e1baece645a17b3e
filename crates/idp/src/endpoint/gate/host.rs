//! For which hosts requests are answered.

use crate::state::IdpState;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// Refuses requests for other hosts: a web page whose name was rebound to loopback gets nothing
/// here.
pub(crate) async fn only_our_host(
    State(state): State<Arc<IdpState>>,
    request: Request,
    next: Next,
) -> Response {
    // Beyond loopback the host names are not known, so the check would refuse everybody.
    if state.config.danger_listen_anywhere || is_our_host(&state, request.headers()) {
        return next.run(request).await;
    }
    (
        StatusCode::MISDIRECTED_REQUEST,
        "this development identity provider answers on loopback only\n",
    )
        .into_response()
}

fn is_our_host(state: &IdpState, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let url = url::Url::parse(&format!("http://{host}/")).ok();
    let loopback = url
        .as_ref()
        .and_then(|url| url.host_str())
        .is_some_and(portcullis_core::token::issuer::is_loopback_host);
    loopback
        || url::Url::parse(state.issuer.as_str())
            .is_ok_and(|issuer| issuer.host_str() == url.as_ref().and_then(|url| url.host_str()))
}
