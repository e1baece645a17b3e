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

/// An error: its scheme, its name (RFC 6750, section 3.1), and what is wrong.
struct UserInfoError(&'static str, &'static str, &'static str);

pub(crate) async fn userinfo(State(state): State<Arc<IdpState>>, caller: RequestHead) -> Response {
    let response = match user_claims(&state, &caller) {
        Ok(claims) => ([(CACHE_CONTROL, "no-store")], Json(claims)).into_response(),
        Err(error) => {
            let challenge = error.challenge();
            let headers = [
                (WWW_AUTHENTICATE, challenge.as_str()),
                (CACHE_CONTROL, "no-store"),
            ];
            (error.status(), headers).into_response()
        }
    };
    dpop::with_nonce(&state, response)
}

impl UserInfoError {
    fn status(&self) -> StatusCode {
        match self.1 {
            "insufficient_scope" => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    fn challenge(&self) -> String {
        let Self(scheme, error, description) = *self;
        let mut challenge = format!("{scheme} realm=\"idp\"");
        let mut add = |name: &str, value: &str| {
            challenge.push_str(&format!(", {name}=\"{value}\""));
        };
        // No error without a token (RFC 6750, section 3.1).
        if !error.is_empty() {
            add("error", error);
            add("error_description", description);
        }
        if error == "insufficient_scope" {
            add("scope", "openid");
        }
        if scheme == "DPoP" {
            add("algs", &ALGORITHMS.join(" "));
        }
        challenge
    }
}

fn user_claims(state: &IdpState, caller: &RequestHead) -> Result<JsonObject, UserInfoError> {
    let headers = &caller.headers;
    let (token, scheme) = if let Some(token) = shown_as(headers, "Bearer") {
        (token, "Bearer")
    } else if let Some(token) = shown_as(headers, "DPoP") {
        (token, "DPoP")
    } else {
        return Err(UserInfoError("Bearer", "", ""));
    };
    let invalid = |why| UserInfoError(scheme, INVALID_TOKEN, why);
    let issued = state.store().access_token(token, state.now());
    let Some(issued) = issued else {
        return Err(invalid("the access token is unknown, expired or revoked"));
    };
    let Some(username) = &issued.username else {
        return Err(invalid("the access token is a client's, not a user's"));
    };
    let Some(user) = state.user(username) else {
        return Err(invalid("the user of the access token no longer exists"));
    };
    // Before the scopes: a thief without the key learns nothing about the token.
    confirm(state, caller, &issued, scheme, token)?;
    let mut scopes = issued.scope.as_deref().unwrap_or_default().split(' ');
    if !scopes.any(|scope| scope == "openid") {
        let why = "the access token lacks the scope openid";
        return Err(UserInfoError(scheme, "insufficient_scope", why));
    }
    // From the ID token, so that `sub` is the same in both (OpenID Connect Core, section 5.3.2).
    let mut claims = state
        .shape
        .id_token(&TokenFacts::of_user(state, &user, &issued.client));
    claims.retain(|name, _| CLAIMS.contains(&name.as_str()));
    Ok(claims)
}

const INVALID_TOKEN: &str = "invalid_token";
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
    let invalid = |why| Err(UserInfoError(scheme, INVALID_TOKEN, why));
    let nothing = Value::Null;
    let cnf = issued.claims.get("cnf").unwrap_or(&nothing);
    if let Some(bound) = cnf.get("x5t#S256").and_then(Value::as_str)
        && caller.x5t().as_deref() != Some(bound)
    {
        return invalid("the access token is bound to another certificate");
    }
    // A bound token as Bearer would be a downgrade (RFC 9449, section 7.2).
    if issued.token_type() != scheme {
        return invalid(match scheme {
            "Bearer" => "the access token is bound to a key: send it as DPoP, with a proof",
            _ => "the access token is bound to no key: send it as Bearer",
        });
    }
    if scheme == "Bearer" {
        return Ok(());
    }
    let bound = cnf.get("jkt").and_then(Value::as_str);
    let (error, why) = match dpop::proven_key(state, caller, Some(token)) {
        Ok(Some(jkt)) if Some(jkt.as_str()) == bound => return Ok(()),
        Ok(Some(_)) => return invalid("the access token is bound to another key"),
        Ok(None) => ("invalid_dpop_proof", "the header DPoP is missing"),
        Err(error) if error.error == "use_dpop_nonce" => (
            "use_dpop_nonce",
            "the proof needs the nonce of the header DPoP-Nonce",
        ),
        Err(_) => (
            "invalid_dpop_proof",
            "the proof is not valid for this request",
        ),
    };
    Err(UserInfoError(scheme, error, why))
}
