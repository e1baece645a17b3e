//! Google's endpoint in place of introspection: GET, numbers as strings, and 400 for an inactive
//! token.

use crate::state::IdpState;
use crate::token::claims::{JsonObject, claims};
use crate::token::issued::IssuedAccessToken;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::sync::Arc;

/// `GET /tokeninfo?access_token=`. It counts as introspection, and fails with it.
pub(crate) async fn tokeninfo(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let no_store = [(CACHE_CONTROL, "no-store")];
    let query = query.unwrap_or_default();
    for (name, token) in form_urlencoded::parse(query.as_bytes()) {
        if name != "access_token" {
            continue;
        }
        if let Some(issued) = state.store().access_token(&token, state.now()) {
            return (no_store, Json(describe(&issued, state.now()))).into_response();
        }
        break;
    }
    // One error for unknown, expired and revoked tokens alike: guesses teach nothing.
    let error = json!({ "error": "invalid_token", "error_description": "Invalid Value" });
    (StatusCode::BAD_REQUEST, no_store, Json(error)).into_response()
}

fn describe(issued: &IssuedAccessToken, now: u64) -> JsonObject {
    let email = issued.claims.get("email");
    claims(json!({
        "azp": issued.claims.get("azp"),
        "aud": issued.audience,
        "sub": issued.claims.get("sub"),
        "scope": issued.scope,
        "exp": issued.expires.to_string(),
        "expires_in": issued.expires.saturating_sub(now).to_string(),
        "email": email,
        "email_verified": email.is_some().then_some("true"),
        "access_type": "online",
    }))
}
