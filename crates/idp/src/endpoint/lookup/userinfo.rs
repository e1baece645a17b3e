//! UserInfo (OpenID Connect Core, section 5.3), also for tokens that are bound to a key (RFC 9449,
//! section 7).

use crate::dialect::facts::TokenFacts;
use crate::endpoint::client::dpop;
use crate::endpoint::http::bearer::shown_as;
use crate::endpoint::http::caller::RequestHead;
use crate::state::IdpState;
use crate::token::claims::JsonObject;
use crate::token::issued::IssuedAccessToken;
use crate::token::jws::ALGORITHMS;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use std::sync::Arc;

/// An error: its status, the scheme and the parameters of its challenge.
struct UserInfoError(StatusCode, &'static str, &'static str);

pub(crate) async fn userinfo(State(state): State<Arc<IdpState>>, caller: RequestHead) -> Response {
    let response = match user_claims(&state, &caller) {
        Ok(claims) => ([(CACHE_CONTROL, "no-store")], Json(claims)).into_response(),
        Err(UserInfoError(status, scheme, error)) => {
            let algorithms = format!(", algs=\"{}\"", ALGORITHMS.join(" "));
            let more = if scheme == "DPoP" { &algorithms } else { "" };
            let challenge = format!("{scheme} realm=\"idp\"{error}{more}");
            (
                status,
                [
                    (WWW_AUTHENTICATE, challenge.as_str()),
                    (CACHE_CONTROL, "no-store"),
                ],
            )
                .into_response()
        }
    };
    dpop::with_nonce(&state, response)
}

fn user_claims(state: &IdpState, caller: &RequestHead) -> Result<JsonObject, UserInfoError> {
    let headers = &caller.headers;
    let (token, scheme) = if let Some(token) = shown_as(headers, "Bearer") {
        (token, "Bearer")
    } else if let Some(token) = shown_as(headers, "DPoP") {
        (token, "DPoP")
    } else {
        // No error without a token (RFC 6750, section 3.1).
        return Err(UserInfoError(StatusCode::UNAUTHORIZED, "Bearer", ""));
    };
    let unknown = UserInfoError(StatusCode::UNAUTHORIZED, scheme, INVALID_TOKEN);
    let issued = state.store().access_token(token, state.now());
    let Some(issued) = issued else {
        return Err(unknown);
    };
    let Some(user) = state.user(issued.username.as_deref().unwrap_or_default()) else {
        return Err(unknown);
    };
    // Before the scopes: a thief without the key learns nothing about the token.
    confirm(state, caller, &issued, scheme, token)?;
    let mut scopes = issued.scope.as_deref().unwrap_or_default().split(' ');
    if !scopes.any(|scope| scope == "openid") {
        let error = ", error=\"insufficient_scope\", scope=\"openid\"";
        return Err(UserInfoError(StatusCode::FORBIDDEN, scheme, error));
    }
    // From the ID token, so that `sub` is the same in both (OpenID Connect Core, section 5.3.2).
    let mut claims = state
        .shape
        .id_token(&TokenFacts::of_user(state, &user, &issued.client));
    claims.retain(|name, _| CLAIMS.contains(&name.as_str()));
    Ok(claims)
}

const INVALID_TOKEN: &str = ", error=\"invalid_token\"";
const CLAIMS: [&str; 5] = [
    "sub",
    "name",
    "preferred_username",
    "email",
    "email_verified",
];

/// What a token is bound to must be proven, and an unbound one must not look bound.
fn confirm(
    state: &IdpState,
    caller: &RequestHead,
    issued: &IssuedAccessToken,
    scheme: &'static str,
    token: &str,
) -> Result<(), UserInfoError> {
    let invalid = Err(UserInfoError(
        StatusCode::UNAUTHORIZED,
        scheme,
        INVALID_TOKEN,
    ));
    let nothing = Value::Null;
    let cnf = issued.claims.get("cnf").unwrap_or(&nothing);
    if let Some(bound) = cnf.get("x5t#S256").and_then(Value::as_str)
        && caller.x5t().as_deref() != Some(bound)
    {
        return invalid;
    }
    // A bound token as Bearer would be a downgrade (RFC 9449, section 7.2).
    if issued.token_type() != scheme {
        return invalid;
    }
    if scheme == "Bearer" {
        return Ok(());
    }
    let bound = cnf.get("jkt").and_then(Value::as_str);
    let error = match dpop::proven_key(state, caller, Some(token)) {
        Ok(Some(jkt)) if Some(jkt.as_str()) == bound => return Ok(()),
        Ok(Some(_)) => return invalid,
        Err(error) if error.error == "use_dpop_nonce" => ", error=\"use_dpop_nonce\"",
        Ok(None) | Err(_) => ", error=\"invalid_dpop_proof\"",
    };
    Err(UserInfoError(StatusCode::UNAUTHORIZED, scheme, error))
}
