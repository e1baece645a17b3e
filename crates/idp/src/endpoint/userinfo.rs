//! UserInfo (OpenID Connect Core, section 5.3).

use crate::dialect::Claims;
use crate::facts::Facts;
use crate::state::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use std::sync::Arc;

pub(super) async fn userinfo(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
) -> Response {
    let Some(token) = bearer(&headers) else {
        return refused(StatusCode::UNAUTHORIZED, "Bearer realm=\"idp\"");
    };
    let issued = state.store().access_token(token, state.now());
    let user = issued.as_ref().and_then(|issued| state.user(issued.username.as_deref()?));
    let (Some(issued), Some(user)) = (issued, user) else {
        return refused(StatusCode::UNAUTHORIZED, "Bearer realm=\"idp\", error=\"invalid_token\"");
    };
    if !issued.scope.iter().flat_map(|scope| scope.split(' ')).any(|scope| scope == "openid") {
        return refused(
            StatusCode::FORBIDDEN,
            "Bearer realm=\"idp\", error=\"insufficient_scope\", scope=\"openid\"",
        );
    }
    // The subject must be the ID token's, in whatever form the provider writes it there.
    let told = ["sub", "name", "preferred_username", "email", "email_verified"];
    let identity = state.shape.id_token(&Facts::of_user(&state, user, &issued.client));
    let claims: Claims = identity.into_iter().filter(|(name, _)| told.contains(&name.as_str())).collect();
    ([(CACHE_CONTROL, "no-store")], Json(claims)).into_response()
}

/// The token behind `Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

fn refused(status: StatusCode, challenge: &'static str) -> Response {
    (status, [(WWW_AUTHENTICATE, challenge), (CACHE_CONTROL, "no-store")]).into_response()
}
