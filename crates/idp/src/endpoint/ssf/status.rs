//! Whether a stream is enabled, paused or disabled (SSF 1.0, section 7.1).

use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::ssf::request::{StreamAnswer, StreamError, body, client, respond};
use crate::endpoint::ssf::stream::{UNKNOWN, stream_id};
use crate::issue::delivery::push_waiting;
use crate::state::IdpState;
use crate::store::stream::{EventStream, StreamStatus};
use crate::token::claims::claims;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
struct StatusRequest {
    stream_id: String,
    status: String,
    reason: Option<String>,
}

/// `GET /ssf/status`.
pub(crate) async fn read_status(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
    caller: RequestHead,
) -> Response {
    respond(status_of(&state, query.as_deref(), &caller))
}

fn status_of(state: &Arc<IdpState>, query: Option<&str>, caller: &RequestHead) -> StreamAnswer {
    let client = client(state, caller)?;
    let id = stream_id(query).ok_or(UNKNOWN)?;
    let mut store = state.store();
    let stream = store
        .used_stream(&id, &client, state.now())
        .ok_or(UNKNOWN)?;
    Ok((StatusCode::OK, describe(stream)))
}

/// `POST /ssf/status`. Events that waited in a push stream go out when it is enabled again.
pub(crate) async fn set_status(
    State(state): State<Arc<IdpState>>,
    caller: RequestHead,
    text: String,
) -> Response {
    let stream = match change_status(&state, &caller, &text) {
        Ok(stream) => stream,
        Err(error) => return respond(Err(error)),
    };
    let answer = describe(&stream);
    if stream.status == StreamStatus::Enabled {
        // In the background: the receiver may be slow, and the client need not wait for it.
        tokio::spawn(async move { push_waiting(&state, &stream.id).await });
    }
    respond(Ok((StatusCode::OK, answer)))
}

fn change_status(
    state: &Arc<IdpState>,
    caller: &RequestHead,
    text: &str,
) -> Result<EventStream, StreamError> {
    let client = client(state, caller)?;
    let request = body::<StatusRequest>(&caller.headers, text)?;
    let mut store = state.store();
    let stream = store
        .used_stream(&request.stream_id, &client, state.now())
        .ok_or(UNKNOWN)?;
    let Some(status) = StreamStatus::from_name(&request.status) else {
        return Err(StreamError(
            StatusCode::BAD_REQUEST,
            "`status` must be enabled, paused or disabled",
        ));
    };
    // Without an event: only the provider's own decisions are told (section 8.1.5).
    stream.set_status(status, request.reason);
    Ok(stream.clone())
}

fn describe(stream: &EventStream) -> Value {
    Value::from(claims(
        json!({ "stream_id": stream.id, "status": stream.status.name(), "reason": stream.reason }),
    ))
}
