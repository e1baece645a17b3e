//! What no real provider has: a token for anybody, and new keys, on command. For development only.

use super::caller::Form;
use super::error::OAuthError;
use super::params::Params;
use super::token_for;
use crate::keys::Overlap;
use crate::state::State;
use axum::extract;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// `POST /dev/token` with `user` (a user or a client), and `audience`, `scope` and `format` (`jwt` or `opaque`)
/// if wanted: the bare token.
pub(super) async fn token(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    match form.and_then(|form| minted(&state, &form.params)) {
        Ok(token) => ([(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "text/plain")], token).into_response(),
        Err(error) => error.into_response(),
    }
}

fn minted(state: &Arc<State>, params: &Params) -> Result<String, OAuthError> {
    let name = params.need("user")?;
    if state.user(name).is_none() && state.clients.configured(name).is_none() {
        return Err(OAuthError::invalid_request("there is no user and no client of this name"));
    }
    let mut builder = token_for(state, name);
    if let Some(audience) = params.find("audience") {
        builder = builder.audience(audience);
    }
    if let Some(scope) = params.find("scope") {
        builder = builder.scope(scope);
    }
    match params.find("format") {
        None => Ok(builder.issue()),
        Some("jwt") => Ok(builder.sign()),
        Some("opaque") => Ok(builder.opaque()),
        Some(_) => Err(OAuthError::invalid_request("`format` must be `jwt` or `opaque`")),
    }
}

/// `POST /dev/rotate`, with `overlap=true` to keep the old key published beside the new one.
pub(super) async fn rotate(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let overlap = match form {
        Ok(Form { params, .. }) if params.find("overlap") == Some("true") => Overlap::With,
        Ok(_) => Overlap::Without,
        Err(error) => return error.into_response(),
    };
    state.keys.rotate(overlap).await;
    StatusCode::NO_CONTENT.into_response()
}
