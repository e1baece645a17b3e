//! Introspection (RFC 7662). What is not active is only that.

use super::error::OAuthError;
use super::params::Params;
use crate::state::State;
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn introspect(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    match answer(&state, &headers, &body) {
        Ok(answer) => ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

fn answer(state: &State, headers: &HeaderMap, body: &str) -> Result<Value, OAuthError> {
    let params = Params::of_form(headers, body)?;
    if params.client(state, headers)?.secret.is_none() {
        return Err(OAuthError::invalid_client()); // a public client cannot prove that it may ask
    }
    let issued = state.store().access_token(params.need("token")?, state.now());
    Ok(match issued {
        None => json!({ "active": false }),
        Some(issued) => {
            let mut answer = issued.claims;
            answer.insert("active".to_owned(), true.into());
            answer.insert("token_type".to_owned(), "Bearer".into());
            if let Some(username) = issued.username {
                answer.insert("username".to_owned(), username.into());
            }
            Value::Object(answer)
        }
    })
}
