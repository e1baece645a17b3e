//! `/dev/stream`: the streams of all clients, and their status on command.

use crate::endpoint::dev::only;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::endpoint::ssf::request::{POLL, PUSH};
use crate::issue::stream_event::{change_status, pause_inactive};
use crate::state::IdpState;
use crate::store::stream::{Delivery, EventStream, StreamStatus};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /dev/stream`: every stream, without its secrets.
pub(crate) async fn list(State(state): State<Arc<IdpState>>) -> Response {
    pause_inactive(&state);
    let store = state.store();
    let streams: Vec<Value> = store.streams().iter().map(describe).collect();
    Json(streams).into_response()
}

/// `POST /dev/stream` with `stream`, `status` and optionally `reason`: the provider changes the
/// status by itself, and tells the receiver so by `stream-updated`.
pub(crate) async fn set(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    match set_status(&state, form).await {
        Ok(()) => list(State(state)).await,
        Err(error) => error.into_response(),
    }
}

async fn set_status(
    state: &Arc<IdpState>,
    form: Result<PostedForm, OAuthError>,
) -> Result<(), OAuthError> {
    let params = only(form, &["stream", "status", "reason"])?.params;
    set_ordered(state, &params).await
}

/// Changes the status as the parameters say.
pub(crate) async fn set_ordered(state: &Arc<IdpState>, params: &Params) -> Result<(), OAuthError> {
    let (stream, name) = (params.need("stream")?, params.need("status")?);
    let Some(status) = StreamStatus::from_name(name) else {
        return Err(OAuthError::invalid_request(&format!(
            "`status`: expected enabled, paused or disabled, found {name:?}"
        )));
    };
    let reason = params.find("reason").map(str::to_owned);
    if change_status(state, stream, status, reason).await {
        Ok(())
    } else {
        Err(OAuthError::invalid_request(&format!(
            "`stream`: expected the `stream_id` of a stream, found {stream:?}"
        )))
    }
}

fn describe(stream: &EventStream) -> Value {
    let (method, url) = match &stream.delivery {
        Delivery::Push { url, .. } => (PUSH, Some(url)),
        Delivery::Poll => (POLL, None),
    };
    json!({
        "stream": stream.id,
        "client": stream.client,
        "method": method,
        "endpoint_url": url,
        "status": stream.status.name(),
        "reason": stream.reason,
        "events_requested": stream.requested,
        "waiting": stream.waiting(),
    })
}
