//! Polling for events (RFC 8936). It does not wait for events: an empty answer comes at once.

use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::ssf::request::{StreamAnswer, StreamError, body, client, respond};
use crate::state::IdpState;
use crate::store::stream::Delivery;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How many events one answer has at most.
const MOST: usize = 100;

/// Section 2.2.
#[derive(Deserialize)]
struct PollRequest {
    #[serde(rename = "maxEvents")]
    most: Option<usize>,
    #[serde(default)]
    ack: Vec<String>,
    /// Events that the receiver could not use: they are not sent again either.
    #[serde(default, rename = "setErrs")]
    errors: Map<String, Value>,
}

pub(crate) async fn poll(
    State(state): State<Arc<IdpState>>,
    Path(id): Path<String>,
    caller: RequestHead,
    text: String,
) -> Response {
    respond(fetch(&state, &id, &caller, &text))
}

fn fetch(state: &IdpState, id: &str, caller: &RequestHead, text: &str) -> StreamAnswer {
    let client = client(state, caller)?;
    let request = body::<PollRequest>(&caller.headers, text)?;
    let mut store = state.store();
    let stream = match store.stream(id, &client) {
        Some(stream) if matches!(stream.delivery, Delivery::Poll) => stream,
        _ => {
            return Err(StreamError(
                StatusCode::NOT_FOUND,
                "the client has no stream to poll at this address",
            ));
        }
    };
    // Acknowledged before the next ones are read, so that none comes twice.
    stream.acknowledge(&request.ack);
    stream.acknowledge(&request.errors.keys().cloned().collect::<Vec<_>>());
    let mut sets = Map::new();
    for (jti, set) in stream.oldest(request.most.unwrap_or(MOST).min(MOST)) {
        sets.insert(jti, set.into());
    }
    let more = stream.waiting() > sets.len();
    Ok((
        StatusCode::OK,
        json!({ "sets": sets, "moreAvailable": more }),
    ))
}
