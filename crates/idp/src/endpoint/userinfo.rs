//! UserInfo (OpenID Connect Core, section 5.3).

use crate::state::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use serde_json::{Map, Value};
use std::sync::Arc;

pub(super) async fn userinfo(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
) -> Response {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
    let Some((_, token)) = token else {
        return refused(StatusCode::UNAUTHORIZED, "Bearer realm=\"idp\"");
    };
    let issued =
        state.store().access_token(token.trim(), state.now()).filter(|issued| issued.username.is_some());
    let Some(issued) = issued else {
        return refused(StatusCode::UNAUTHORIZED, "Bearer realm=\"idp\", error=\"invalid_token\"");
    };
    let scope = issued.claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    if !scope.split(' ').any(|scope| scope == "openid") {
        return refused(
            StatusCode::FORBIDDEN,
            "Bearer realm=\"idp\", error=\"insufficient_scope\", scope=\"openid\"",
        );
    }
    let told = ["sub", "name", "preferred_username", "email"];
    let claims: Map<String, Value> =
        issued.claims.into_iter().filter(|(name, _)| told.contains(&name.as_str())).collect();
    ([(CACHE_CONTROL, "no-store")], Json(claims)).into_response()
}

fn refused(status: StatusCode, challenge: &'static str) -> Response {
    (status, [(WWW_AUTHENTICATE, challenge), (CACHE_CONTROL, "no-store")]).into_response()
}
