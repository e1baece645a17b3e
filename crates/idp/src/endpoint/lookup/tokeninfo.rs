//! Google's endpoint in place of introspection: GET, numbers as strings, 400 for what is not
//! active.

use crate::state::State;
use crate::token::claims::{Claims, claims};
use crate::token::issued::IssuedAccess;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use serde_json::json;
use std::sync::Arc;

/// `GET /tokeninfo?access_token=`. It counts as introspection, and fails with it.
pub(crate) async fn tokeninfo(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "access_token");
    let issued = token.and_then(|(_, token)| state.store().access_token(&token, state.now()));
    let answer = issued.map(|issued| told(&issued, state.now()));
    let no_store = [(CACHE_CONTROL, "no-store")];
    match answer {
        Some(answer) => (no_store, Json(answer)).into_response(),
        None => {
            let error = json!({ "error": "invalid_token", "error_description": "Invalid Value" });
            (StatusCode::BAD_REQUEST, no_store, Json(error)).into_response()
        }
    }
}

fn told(issued: &IssuedAccess, now: u64) -> Claims {
    let claim = |name| issued.claims.get(name);
    claims(json!({
        "azp": claim("azp"),
        "aud": issued.audience,
        "sub": claim("sub"),
        "scope": issued.scope,
        "exp": issued.expires.to_string(),
        "expires_in": issued.expires.saturating_sub(now).to_string(),
        "email": claim("email"),
        "email_verified": claim("email").map(|_| "true"),
        "access_type": "online",
    }))
}
