//! The streams of a client: create, read, change, delete (SSF 1.0, section 7.1).

use crate::config::address::may_be_sent_to;
use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::http::params::Params;
use crate::endpoint::ssf::request::{POLL, PUSH, StreamAnswer, StreamError, body, client, respond};
use crate::issue::security_event::supported_types;
use crate::state::IdpState;
use crate::store::stream::{Delivery, EventStream};
use crate::token::claims::claims;
use crate::token::encoding::random_text;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const UNKNOWN: StreamError = StreamError(
    StatusCode::NOT_FOUND,
    "the client has no stream of this `stream_id`",
);

#[derive(Deserialize)]
struct StreamRequest {
    stream_id: Option<String>,
    events_requested: Option<Vec<String>>,
    delivery: Option<DeliveryRequest>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct DeliveryRequest {
    method: String,
    endpoint_url: Option<String>,
    authorization_header: Option<String>,
}

/// `POST /ssf/streams`.
pub(crate) async fn create(
    State(state): State<Arc<IdpState>>,
    caller: RequestHead,
    text: String,
) -> Response {
    respond(create_stream(&state, &caller, &text))
}

fn create_stream(state: &Arc<IdpState>, caller: &RequestHead, text: &str) -> StreamAnswer {
    let client = client(state, caller)?;
    let request = body::<StreamRequest>(&caller.headers, text)?;
    let mut stream = EventStream::new(random_text(16), client, state.now());
    apply(&mut stream, request, true)?;
    let answer = describe(state, &stream);
    if !state.store().add_stream(stream) {
        return Err(StreamError(
            StatusCode::CONFLICT,
            "there are too many streams",
        ));
    }
    Ok((StatusCode::CREATED, answer))
}

/// `PATCH` changes the named members, `PUT` all of them.
pub(crate) async fn change(
    State(state): State<Arc<IdpState>>,
    caller: RequestHead,
    text: String,
) -> Response {
    respond(change_stream(&state, &caller, &text))
}

fn change_stream(state: &Arc<IdpState>, caller: &RequestHead, text: &str) -> StreamAnswer {
    let client = client(state, caller)?;
    let request = body::<StreamRequest>(&caller.headers, text)?;
    let Some(id) = request.stream_id.clone() else {
        return Err(StreamError(
            StatusCode::BAD_REQUEST,
            "`stream_id` is missing",
        ));
    };
    let mut store = state.store();
    let stream = store
        .used_stream(&id, &client, state.now())
        .ok_or(UNKNOWN)?;
    apply(stream, request, caller.method == "PUT")?;
    Ok((StatusCode::OK, describe(state, stream)))
}

/// `GET`: one stream, or all streams of the client.
pub(crate) async fn read(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
    caller: RequestHead,
) -> Response {
    respond(read_streams(&state, query.as_deref(), &caller))
}

fn read_streams(state: &Arc<IdpState>, query: Option<&str>, caller: &RequestHead) -> StreamAnswer {
    let client = client(state, caller)?;
    let mut store = state.store();
    if let Some(id) = stream_id(query) {
        let stream = store
            .used_stream(&id, &client, state.now())
            .ok_or(UNKNOWN)?;
        return Ok((StatusCode::OK, describe(state, stream)));
    }
    let mut own = Vec::new();
    for stream in store.streams() {
        if stream.client == client {
            own.push(describe(state, stream));
        }
    }
    Ok((StatusCode::OK, own.into()))
}

/// `DELETE`.
pub(crate) async fn remove(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
    caller: RequestHead,
) -> Response {
    respond(remove_stream(&state, query.as_deref(), &caller))
}

fn remove_stream(state: &Arc<IdpState>, query: Option<&str>, caller: &RequestHead) -> StreamAnswer {
    let client = client(state, caller)?;
    let id = stream_id(query).ok_or(UNKNOWN)?;
    if !state.store().remove_stream(&id, &client) {
        return Err(UNKNOWN);
    }
    Ok((StatusCode::NO_CONTENT, Value::Null))
}

pub(crate) fn stream_id(query: Option<&str>) -> Option<String> {
    let params = Params::parse(query.unwrap_or_default()).ok()?;
    params.find("stream_id").map(str::to_owned)
}

/// Writes a request into a stream. With `all`, missing members go back to their defaults.
fn apply(stream: &mut EventStream, request: StreamRequest, all: bool) -> Result<(), StreamError> {
    match request.delivery {
        Some(delivery) => stream.delivery = delivery.check()?,
        None if all => stream.delivery = Delivery::Poll,
        None => {}
    }
    if all || request.events_requested.is_some() {
        stream.requested = request.events_requested.unwrap_or_default();
    }
    if all || request.description.is_some() {
        stream.description = request.description;
    }
    Ok(())
}

impl DeliveryRequest {
    fn check(self) -> Result<Delivery, StreamError> {
        let problem = match (self.method.as_str(), self.endpoint_url) {
            (POLL, _) => return Ok(Delivery::Poll),
            // Events and the authorization header must not cross a network in clear.
            (PUSH, Some(url)) if may_be_sent_to(&url) => {
                return Ok(Delivery::Push {
                    url,
                    authorization: self.authorization_header,
                });
            }
            (PUSH, _) => "`endpoint_url` must be https, or http on loopback",
            _ => "`method` is not supported",
        };
        Err(StreamError(StatusCode::BAD_REQUEST, problem))
    }
}

fn describe(state: &Arc<IdpState>, stream: &EventStream) -> Value {
    let supported = supported_types();
    // An empty list in the request means every type.
    let mut delivered = supported.clone();
    if !stream.requested.is_empty() {
        delivered.retain(|event| stream.requested.contains(event));
    }
    let delivery = match &stream.delivery {
        // Without the authorization header: it is a secret, and the receiver knows it.
        Delivery::Push { url, .. } => json!({ "method": PUSH, "endpoint_url": url }),
        Delivery::Poll => {
            json!({
                "method": POLL,
                "endpoint_url": state.url(&format!("/ssf/poll/{}", stream.id)),
            })
        }
    };
    let requested = (!stream.requested.is_empty()).then_some(&stream.requested);
    Value::from(claims(json!({
        "stream_id": stream.id,
        "iss": state.issuer.as_str(),
        "aud": stream.client,
        "events_supported": supported,
        "events_requested": requested,
        "events_delivered": delivered,
        "delivery": delivery,
        "description": stream.description,
        "min_verification_interval": limit(state.config.events.min_verification_interval),
        "inactivity_timeout": limit(state.config.events.inactivity_timeout),
    })))
}

/// A limit in seconds; 0 stands for none.
fn limit(seconds: u32) -> Option<u32> {
    (seconds > 0).then_some(seconds)
}
