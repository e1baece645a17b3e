//! A request to the stream endpoints: its client, its body, its answer.

use crate::endpoint::http::bearer::bearer;
use crate::endpoint::http::caller::Caller;
use crate::state::State;
use axum::Json;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) const PUSH: &str = "urn:ietf:rfc:8935";

pub(crate) const POLL: &str = "urn:ietf:rfc:8936";

/// A refusal, with what was wrong.
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) &'static str);

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
pub(crate) fn client(state: &State, caller: &Caller) -> Result<String, Refused> {
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
pub(crate) fn body<T: DeserializeOwned>(headers: &HeaderMap, text: &str) -> Result<T, Refused> {
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

pub(crate) fn told(answer: Result<(StatusCode, Value), Refused>) -> Response {
    match answer {
        Ok((StatusCode::NO_CONTENT, _)) => StatusCode::NO_CONTENT.into_response(),
        Ok((status, answer)) => {
            (status, [(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(refused) => refused.into_response(),
    }
}
