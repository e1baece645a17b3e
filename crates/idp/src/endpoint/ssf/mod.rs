//! Streams of security events (OpenID Shared Signals Framework 1.0), as CAEP and RISC use them.
//!
//! A client with a token of the scope `ssf.manage` (to read, `ssf.read` will do) makes streams for
//! itself, and gets events about every user but those it removed. Events are sent on command, and
//! when somebody logs out.

mod poll;
mod stream;

pub(super) use poll::poll;
pub(super) use stream::{
    add_subject, change, create, read, read_status, remove, remove_subject, set_status, verify,
};

use super::caller::Caller;
use super::userinfo::bearer;
use crate::dialect::claims;
use crate::state::State;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, extract};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// The scopes of its endpoints, which every client may ask for itself.
pub(super) const SCOPES: [&str; 2] = ["ssf.manage", "ssf.read"];
pub(super) const PUSH: &str = "urn:ietf:rfc:8935";
pub(super) const POLL: &str = "urn:ietf:rfc:8936";

/// The metadata (section 6).
pub(super) async fn configuration(extract::State(state): extract::State<Arc<State>>) -> Response {
    let keys = state.published.first().map(|first| state.url(&first.keys));
    let document = claims(json!({
        "spec_version": "1_0",
        "issuer": state.issuer.as_str(),
        "jwks_uri": keys,
        "delivery_methods_supported": [PUSH, POLL],
        "configuration_endpoint": state.url("/ssf/streams"),
        "status_endpoint": state.url("/ssf/status"),
        "add_subject_endpoint": state.url("/ssf/subjects/add"),
        "remove_subject_endpoint": state.url("/ssf/subjects/remove"),
        "verification_endpoint": state.url("/ssf/verify"),
        "authorization_schemes": [{ "spec_urn": "urn:ietf:rfc:6749" }],
        "default_subjects": "ALL",
    }));
    Json(document).into_response()
}

/// Where the metadata is: the well-known part stands before the issuer's path.
pub(super) fn configuration_paths(state: &State) -> Vec<String> {
    let root = "/.well-known/ssf-configuration".to_owned();
    let path = state
        .issuer
        .as_str()
        .strip_prefix(&state.base)
        .unwrap_or_default()
        .trim_end_matches('/');
    if path.is_empty() {
        vec![root]
    } else {
        vec![format!("{root}{path}"), root]
    }
}

/// A refusal, with what was wrong.
pub(super) struct Refused(StatusCode, &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        let error = match status {
            StatusCode::UNAUTHORIZED => "invalid_token",
            StatusCode::FORBIDDEN => "insufficient_scope",
            _ => "invalid_request",
        };
        let body = Json(json!({ "err": error, "description": why }));
        let challenge = format!("Bearer realm=\"idp\", error=\"{error}\"");
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                (status, [(WWW_AUTHENTICATE, challenge)], body).into_response()
            }
            _ => (status, [(CACHE_CONTROL, "no-store")], body).into_response(),
        }
    }
}

/// The client that asks: its own token, which is bound to nothing, with the scope that this needs.
fn client(state: &State, caller: &Caller) -> Result<String, Refused> {
    let refused = |why| Refused(StatusCode::UNAUTHORIZED, why);
    let token = bearer(&caller.headers).ok_or(refused("a client's access token is missing"))?;
    let issued = state.store().access_token(token, state.now());
    let issued =
        issued.filter(|issued| issued.username.is_none() && !issued.claims.contains_key("cnf"));
    let issued = issued.ok_or(refused(
        "the access token is unknown, expired, a user's, or bound",
    ))?;
    let held: Vec<&str> = issued
        .scope
        .iter()
        .flat_map(|scope| scope.split(' '))
        .collect();
    let reads = caller.method == "GET";
    if held.contains(&"ssf.manage") || (reads && held.contains(&"ssf.read")) {
        return Ok(issued.client);
    }
    Err(Refused(
        StatusCode::FORBIDDEN,
        "the scope `ssf.manage` is missing",
    ))
}

/// A body in JSON.
fn body<T: DeserializeOwned>(headers: &HeaderMap, text: &str) -> Result<T, Refused> {
    let wrong = Refused(
        StatusCode::BAD_REQUEST,
        "the body is not the JSON that is expected",
    );
    let kind = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(wrong);
    }
    serde_json::from_str(text).map_err(|_| wrong)
}

fn told(answer: Result<(StatusCode, Value), Refused>) -> Response {
    match answer {
        Ok((StatusCode::NO_CONTENT, _)) => StatusCode::NO_CONTENT.into_response(),
        Ok((status, answer)) => {
            (status, [(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(refused) => refused.into_response(),
    }
}
