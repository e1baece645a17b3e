//! The subjects of a stream, and its verification event (SSF 1.0, section 7.1).

use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::ssf::request::{StreamAnswer, StreamError, body, client, respond};
use crate::endpoint::ssf::stream::UNKNOWN;
use crate::issue::stream_event;
use crate::state::IdpState;
use crate::store::stream::EventStream;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many subjects may be removed from a stream.
const MOST_SUBJECTS: usize = 10_000;

#[derive(Deserialize)]
struct SubjectRequest {
    stream_id: String,
    subject: Value,
}

/// `POST /ssf/subjects/add`: undoes a removal. Every subject is in a stream until it is removed.
pub(crate) async fn add_subject(
    State(state): State<Arc<IdpState>>,
    caller: RequestHead,
    text: String,
) -> Response {
    respond(change_subjects(&state, &caller, &text, add))
}

/// `POST /ssf/subjects/remove`. The subject must be written exactly as it is in events.
pub(crate) async fn remove_subject(
    State(state): State<Arc<IdpState>>,
    caller: RequestHead,
    text: String,
) -> Response {
    respond(change_subjects(&state, &caller, &text, remove))
}

fn add(stream: &mut EventStream, subject: &Value) -> StreamAnswer {
    stream.removed.retain(|removed| removed != subject);
    Ok((StatusCode::OK, json!({})))
}

fn remove(stream: &mut EventStream, subject: &Value) -> StreamAnswer {
    if stream.removed.len() >= MOST_SUBJECTS {
        return Err(StreamError(
            StatusCode::CONFLICT,
            "too many subjects were removed",
        ));
    }
    stream.removed.push(subject.clone());
    Ok((StatusCode::NO_CONTENT, Value::Null))
}

fn change_subjects(
    state: &Arc<IdpState>,
    caller: &RequestHead,
    text: &str,
    change: fn(&mut EventStream, &Value) -> StreamAnswer,
) -> StreamAnswer {
    let client = client(state, caller)?;
    let request = body::<SubjectRequest>(&caller.headers, text)?;
    let mut store = state.store();
    let stream = store
        .used_stream(&request.stream_id, &client, state.now())
        .ok_or(UNKNOWN)?;
    change(stream, &request.subject)
}

#[derive(Deserialize)]
struct VerificationRequest {
    stream_id: String,
    state: Option<String>,
}

/// `POST /ssf/verify`: sends an event that shows only that the stream works.
pub(crate) async fn verify(
    State(state): State<Arc<IdpState>>,
    caller: RequestHead,
    text: String,
) -> Response {
    let (stream, echo) = match stream_to_verify(&state, &caller, &text) {
        Ok(found) => found,
        Err(error) => return respond(Err(error)),
    };
    // In the background: the event may arrive after the answer.
    tokio::spawn(async move { stream_event::verify(&state, &stream, echo).await });
    respond(Ok((StatusCode::NO_CONTENT, Value::Null)))
}

fn stream_to_verify(
    state: &Arc<IdpState>,
    caller: &RequestHead,
    text: &str,
) -> Result<(EventStream, Option<String>), StreamError> {
    let client = client(state, caller)?;
    let request = body::<VerificationRequest>(&caller.headers, text)?;
    let now = state.now();
    let mut store = state.store();
    let stream = store
        .used_stream(&request.stream_id, &client, now)
        .ok_or(UNKNOWN)?;
    let interval = u64::from(state.config.events.min_verification_interval);
    let since = stream.verified_at.map(|at| now.saturating_sub(at));
    if since.is_some_and(|since| since < interval) {
        return Err(StreamError(
            StatusCode::TOO_MANY_REQUESTS,
            "the last verification is less than `min_verification_interval` ago",
        ));
    }
    stream.verified_at = Some(now);
    Ok((stream.clone(), request.state))
}
