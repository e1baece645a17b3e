//! A request to the stream endpoints: its client, its body, its answer.

use crate::endpoint::http::bearer::bearer;
use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::http::header;
use crate::issue::stream_event::pause_inactive;
use crate::state::IdpState;
use axum::Json;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const PUSH: &str = "urn:ietf:rfc:8935";

pub(crate) const POLL: &str = "urn:ietf:rfc:8936";

/// The status and the body of an answer.
pub(crate) type StreamAnswer = Result<(StatusCode, Value), StreamError>;

/// An error, and its description.
pub(crate) struct StreamError(pub(crate) StatusCode, pub(crate) &'static str);

impl IntoResponse for StreamError {
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

/// The client of the request, by an unbound token of its own with the scope that it needs.
pub(crate) fn client(state: &Arc<IdpState>, caller: &RequestHead) -> Result<String, StreamError> {
    // Before the request counts as activity: a stream that was silent too long is paused by now.
    pause_inactive(state);
    let Some(token) = bearer(&caller.headers) else {
        return Err(StreamError(
            StatusCode::UNAUTHORIZED,
            "a client's access token is missing",
        ));
    };
    let issued = match state.store().access_token(token, state.now()) {
        // A bound token would need a proof, which these endpoints do not check.
        Some(issued) if issued.username.is_none() && !issued.claims.contains_key("cnf") => issued,
        _ => {
            return Err(StreamError(
                StatusCode::UNAUTHORIZED,
                "the access token is unknown, expired, a user's, or bound",
            ));
        }
    };
    let scope = issued.scope.as_deref().unwrap_or_default();
    let reads = caller.method == "GET";
    for held in scope.split(' ') {
        if held == "ssf.manage" || (reads && held == "ssf.read") {
            return Ok(issued.client);
        }
    }
    Err(StreamError(
        StatusCode::FORBIDDEN,
        "the scope `ssf.manage` is missing",
    ))
}

/// A body in JSON.
pub(crate) fn body<T: DeserializeOwned>(headers: &HeaderMap, text: &str) -> Result<T, StreamError> {
    let kind = header::text(headers, CONTENT_TYPE);
    if let Ok(body) = serde_json::from_str(text)
        && kind.starts_with("application/json")
    {
        return Ok(body);
    }
    Err(StreamError(
        StatusCode::BAD_REQUEST,
        "the body is not the expected JSON",
    ))
}

pub(crate) fn respond(answer: StreamAnswer) -> Response {
    match answer {
        Ok((StatusCode::NO_CONTENT, _)) => StatusCode::NO_CONTENT.into_response(),
        Ok((status, answer)) => {
            (status, [(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(error) => error.into_response(),
    }
}
