//! What no real provider has: a token for anybody, and new keys, on command. For development only.

use super::error::OAuthError;
use super::params::Params;
use super::token_for;
use crate::keys::Overlap;
use crate::state::State;
use axum::extract;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// `POST /dev/token` with `user` (a user or a client), and `audience` and `scope` if wanted: the bare token.
pub(super) async fn token(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    match minted(&state, &headers, &body) {
        Ok(token) => ([(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "text/plain")], token).into_response(),
        Err(error) => error.into_response(),
    }
}

fn minted(state: &State, headers: &HeaderMap, body: &str) -> Result<String, OAuthError> {
    let params = Params::of_form(headers, body)?;
    let name = params.need("user")?;
    if state.user(name).is_none() && state.client(name).is_none() {
        return Err(OAuthError::invalid_request("there is no user and no client of this name"));
    }
    let builder = token_for(state, name);
    let builder = match params.find("audience") {
        Some(audience) => builder.audience(audience),
        None => builder,
    };
    Ok(match params.find("scope") {
        Some(scope) => builder.scope(scope).sign(),
        None => builder.sign(),
    })
}

/// `POST /dev/rotate`, with `overlap=true` to keep the old key published beside the new one.
pub(super) async fn rotate(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let overlap = match Params::of_form(&headers, &body) {
        Ok(params) if params.find("overlap") == Some("true") => Overlap::With,
        Ok(_) => Overlap::Without,
        Err(error) => return error.into_response(),
    };
    state.keys.rotate(overlap).await;
    StatusCode::NO_CONTENT.into_response()
}
