//! Polling for events (RFC 8936). Without `returnImmediately`, it waits until there is one.

use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::ssf::request::{StreamAnswer, StreamError, body, client, respond};
use crate::issue::delivery::event_error;
use crate::state::IdpState;
use crate::store::Store;
use crate::store::stream::Delivery;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How many events one answer has at most.
const MOST: usize = 100;

const UNKNOWN: StreamError = StreamError(
    StatusCode::NOT_FOUND,
    "the client has no stream to poll at this address",
);

/// Section 2.2.
#[derive(Deserialize)]
struct PollRequest {
    #[serde(rename = "maxEvents")]
    most: Option<usize>,
    #[serde(default, rename = "returnImmediately")]
    is_immediate: bool,
    #[serde(default)]
    ack: Vec<String>,
    /// Events that the receiver could not use: they are not sent again either.
    #[serde(default, rename = "setErrs")]
    errors: Map<String, Value>,
}

impl PollRequest {
    fn most(&self) -> usize {
        self.most.unwrap_or(MOST).min(MOST)
    }
}

/// What an answer has.
struct EventBatch {
    sets: Map<String, Value>,
    has_more: bool,
}

pub(crate) async fn poll(
    State(state): State<Arc<IdpState>>,
    Path(id): Path<String>,
    caller: RequestHead,
    text: String,
) -> Response {
    respond(fetch(&state, &id, &caller, &text).await)
}

async fn fetch(state: &Arc<IdpState>, id: &str, caller: &RequestHead, text: &str) -> StreamAnswer {
    let client = client(state, caller)?;
    let request = body::<PollRequest>(&caller.headers, text)?;
    // Before the next ones are read, so that none comes twice.
    let arrivals = acknowledge(state, id, &client, &request)?;
    // A receiver that wants none only acknowledges (section 2.2).
    let batch = if request.is_immediate || request.most() == 0 {
        next_batch(state, id, &client, request.most())?
    } else {
        wait_for_batch(state, id, &client, request.most(), &arrivals).await?
    };
    let answer = json!({ "sets": batch.sets, "moreAvailable": batch.has_more });
    Ok((StatusCode::OK, answer))
}

/// Takes out what the receiver has, and what it refuses. Answers with what wakes a waiting poll.
fn acknowledge(
    state: &IdpState,
    id: &str,
    client: &str,
    request: &PollRequest,
) -> Result<Arc<Notify>, StreamError> {
    let now = state.now();
    let mut store = state.store();
    let stream = store
        .used_stream(id, client, now)
        .filter(|stream| matches!(stream.delivery, Delivery::Poll))
        .ok_or(UNKNOWN)?;
    stream.acknowledge(&request.ack);
    let refused: Vec<String> = request.errors.keys().cloned().collect();
    stream.acknowledge(&refused);
    let arrivals = Arc::clone(&stream.arrivals);
    note(&mut store, id, request);
    Ok(arrivals)
}

fn note(store: &mut Store, id: &str, request: &PollRequest) {
    for jti in &request.ack {
        store
            .notices
            .settle(id, jti, |notice| notice.waits = false);
    }
    for (jti, told) in &request.errors {
        store.notices.settle(id, jti, |notice| {
            notice.waits = false;
            notice.error = Some(event_error(told));
        });
    }
}

async fn wait_for_batch(
    state: &IdpState,
    id: &str,
    client: &str,
    most: usize,
    arrivals: &Notify,
) -> Result<EventBatch, StreamError> {
    let wait = Duration::from_secs(state.config.events.poll_wait.into());
    let mut stopping = state.stopping.subscribe();
    let over = async {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // A provider that stops must not wait for the receivers' patience.
            _ = stopping.wait_for(|is_stopping| *is_stopping) => {}
        }
    };
    tokio::pin!(over);
    loop {
        // Begins to listen before it looks: an event in between must wake it too.
        let arrived = arrivals.notified();
        let batch = next_batch(state, id, client, most)?;
        if !batch.sets.is_empty() {
            return Ok(batch);
        }
        tokio::select! {
            () = arrived => {}
            () = &mut over => return Ok(batch),
        }
    }
}

fn next_batch(
    state: &IdpState,
    id: &str,
    client: &str,
    most: usize,
) -> Result<EventBatch, StreamError> {
    let mut store = state.store();
    // Read again after every wait: it may be gone, or be pushed by now.
    let stream = store
        .stream(id, client)
        .filter(|stream| matches!(stream.delivery, Delivery::Poll))
        .ok_or(UNKNOWN)?;
    let mut sets = Map::new();
    for event in stream.oldest(most) {
        sets.insert(event.jti, event.set.into());
    }
    let has_more = stream.ready_count() > sets.len();
    Ok(EventBatch { sets, has_more })
}
