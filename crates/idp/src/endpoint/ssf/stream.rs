//! Streams, made and managed by the clients whose they are (SSF 1.0, section 7.1).

use crate::config::address::may_be_sent_to;
use crate::endpoint::http::caller::Caller;
use crate::endpoint::http::params::Params;
use crate::endpoint::ssf::request::{POLL, PUSH, Refused, body, client, told};
use crate::issue::event;
use crate::issue::event::VERIFICATION;
use crate::state::State;
use crate::store::stream::{Delivery, Stream, StreamStatus};
use crate::token::claims::claims;
use crate::token::encoding::random_text;
use axum::extract;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many subjects may be removed from a stream.
const MOST_SUBJECTS: usize = 10_000;

#[derive(Deserialize)]
struct Wanted {
    stream_id: Option<String>,
    events_requested: Option<Vec<String>>,
    delivery: Option<WantedDelivery>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct WantedDelivery {
    method: String,
    endpoint_url: Option<String>,
    authorization_header: Option<String>,
}

/// `POST /ssf/streams`.
pub(crate) async fn create(
    extract::State(state): extract::State<Arc<State>>,
    caller: Caller,
    text: String,
) -> Response {
    let created = |state: &State| {
        let (client, wanted) = (
            client(state, &caller)?,
            body::<Wanted>(&caller.headers, &text)?,
        );
        let mut stream = Stream::new(random_text(16), client);
        apply(&mut stream, wanted, true)?;
        let answer = written(state, &stream);
        let room = state.store().add_stream(stream);
        let full = Refused(StatusCode::CONFLICT, "there are too many streams");
        room.then_some((StatusCode::CREATED, answer)).ok_or(full)
    };
    told(created(&state))
}

/// `PATCH` changes what is named, `PUT` everything.
pub(crate) async fn change(
    extract::State(state): extract::State<Arc<State>>,
    caller: Caller,
    text: String,
) -> Response {
    let changed = |state: &State| {
        let (client, wanted) = (
            client(state, &caller)?,
            body::<Wanted>(&caller.headers, &text)?,
        );
        let id = wanted
            .stream_id
            .clone()
            .ok_or(Refused(StatusCode::BAD_REQUEST, "`stream_id` is missing"))?;
        let mut store = state.store();
        let stream = store.stream(&id, &client).ok_or(UNKNOWN)?;
        apply(stream, wanted, caller.method == "PUT")?;
        Ok((StatusCode::OK, written(state, stream)))
    };
    told(changed(&state))
}

/// `GET`: one, or all of the client's.
pub(crate) async fn read(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    let found = |state: &State| {
        let client = client(state, &caller)?;
        let mut store = state.store();
        if let Some(id) = named(query.as_deref()) {
            let stream = store.stream(&id, &client).ok_or(UNKNOWN)?;
            return Ok((StatusCode::OK, written(state, stream)));
        }
        let own = store
            .streams()
            .iter()
            .filter(|stream| stream.client == client);
        Ok((
            StatusCode::OK,
            own.map(|stream| written(state, stream)).collect(),
        ))
    };
    told(found(&state))
}

/// `DELETE`.
pub(crate) async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    let removed = |state: &State| {
        let client = client(state, &caller)?;
        let known =
            named(query.as_deref()).is_some_and(|id| state.store().remove_stream(&id, &client));
        known
            .then_some((StatusCode::NO_CONTENT, Value::Null))
            .ok_or(UNKNOWN)
    };
    told(removed(&state))
}

/// `GET /ssf/status`.
pub(crate) async fn read_status(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    let found = |state: &State| {
        let (client, id) = (
            client(state, &caller)?,
            named(query.as_deref()).ok_or(UNKNOWN)?,
        );
        let mut store = state.store();
        Ok((
            StatusCode::OK,
            written_status(store.stream(&id, &client).ok_or(UNKNOWN)?),
        ))
    };
    told(found(&state))
}

#[derive(Deserialize)]
struct WantedStatus {
    stream_id: String,
    status: String,
    reason: Option<String>,
}

/// `POST /ssf/status`. What waited in a stream that is pushed goes out when it is enabled again.
pub(crate) async fn set_status(
    extract::State(state): extract::State<Arc<State>>,
    caller: Caller,
    text: String,
) -> Response {
    let set = |state: &State| {
        let (client, wanted) = (
            client(state, &caller)?,
            body::<WantedStatus>(&caller.headers, &text)?,
        );
        let mut store = state.store();
        let stream = store.stream(&wanted.stream_id, &client).ok_or(UNKNOWN)?;
        stream.status = match wanted.status.as_str() {
            "enabled" => StreamStatus::Enabled,
            "paused" => StreamStatus::Paused,
            "disabled" => StreamStatus::Disabled,
            _ => {
                return Err(Refused(
                    StatusCode::BAD_REQUEST,
                    "`status` is enabled, paused or disabled",
                ));
            }
        };
        stream.reason = wanted.reason;
        Ok(stream.clone())
    };
    let set = set(&state);
    if let Ok(stream) = &set
        && stream.status == StreamStatus::Enabled
    {
        let (state, stream) = (Arc::clone(&state), stream.clone());
        tokio::spawn(async move { event::push_waiting(&state, &stream).await });
    }
    told(set.map(|stream| (StatusCode::OK, written_status(&stream))))
}

#[derive(Deserialize)]
struct WantedSubject {
    stream_id: String,
    subject: Value,
}

/// `POST /ssf/subjects/add`: it is in the stream again. All are, unless they were removed.
pub(crate) async fn add_subject(
    extract::State(state): extract::State<Arc<State>>,
    caller: Caller,
    text: String,
) -> Response {
    told(with_subject(&state, &caller, &text, |stream, subject| {
        stream.removed.retain(|removed| *removed != subject);
        Ok((StatusCode::OK, json!({})))
    }))
}

/// `POST /ssf/subjects/remove`: nothing about it is wanted. It must be written as it is in events.
pub(crate) async fn remove_subject(
    extract::State(state): extract::State<Arc<State>>,
    caller: Caller,
    text: String,
) -> Response {
    told(with_subject(&state, &caller, &text, |stream, subject| {
        if stream.removed.len() >= MOST_SUBJECTS {
            return Err(Refused(
                StatusCode::CONFLICT,
                "too many subjects were removed",
            ));
        }
        stream.removed.push(subject);
        Ok((StatusCode::NO_CONTENT, Value::Null))
    }))
}

fn with_subject(
    state: &State,
    caller: &Caller,
    text: &str,
    change: impl FnOnce(&mut Stream, Value) -> Result<(StatusCode, Value), Refused>,
) -> Result<(StatusCode, Value), Refused> {
    let (client, wanted) = (
        client(state, caller)?,
        body::<WantedSubject>(&caller.headers, text)?,
    );
    let mut store = state.store();
    change(
        store.stream(&wanted.stream_id, &client).ok_or(UNKNOWN)?,
        wanted.subject,
    )
}

#[derive(Deserialize)]
struct WantedVerification {
    stream_id: String,
    state: Option<String>,
}

/// `POST /ssf/verify`: an event that says only that the stream works.
pub(crate) async fn verify(
    extract::State(state): extract::State<Arc<State>>,
    caller: Caller,
    text: String,
) -> Response {
    let asked = |state: &State| {
        let (client, wanted) = (
            client(state, &caller)?,
            body::<WantedVerification>(&caller.headers, &text)?,
        );
        let stream = state
            .store()
            .stream(&wanted.stream_id, &client)
            .ok_or(UNKNOWN)?
            .clone();
        Ok((stream, wanted.state))
    };
    told(asked(&state).map(|(stream, wanted)| {
        let (state, about) = (
            Arc::clone(&state),
            json!({ "format": "opaque", "id": stream.id }),
        );
        let members = claims(json!({ "state": wanted }));
        tokio::spawn(async move {
            event::deliver(&state, &stream, &about, (VERIFICATION, &members)).await
        });
        (StatusCode::NO_CONTENT, Value::Null)
    }))
}

const UNKNOWN: Refused = Refused(
    StatusCode::NOT_FOUND,
    "there is no such stream of this client",
);

fn named(query: Option<&str>) -> Option<String> {
    Params::parse(query.unwrap_or_default())
        .ok()?
        .find("stream_id")
        .map(str::to_owned)
}

/// Writes what is wanted into a stream; `all` also what is not named.
fn apply(stream: &mut Stream, wanted: Wanted, all: bool) -> Result<(), Refused> {
    match wanted.delivery {
        Some(delivery) => stream.delivery = delivery.judged()?,
        None if all => stream.delivery = Delivery::Poll,
        None => {}
    }
    if all || wanted.events_requested.is_some() {
        stream.requested = wanted.events_requested.unwrap_or_default();
    }
    if all || wanted.description.is_some() {
        stream.description = wanted.description;
    }
    Ok(())
}

impl WantedDelivery {
    fn judged(self) -> Result<Delivery, Refused> {
        let wrong = |why| Refused(StatusCode::BAD_REQUEST, why);
        match (self.method.as_str(), self.endpoint_url) {
            (POLL, _) => Ok(Delivery::Poll),
            (PUSH, Some(url)) if may_be_sent_to(&url) => Ok(Delivery::Push {
                url,
                authorization: self.authorization_header,
            }),
            (PUSH, _) => Err(wrong("`endpoint_url` must be https, or http on loopback")),
            _ => Err(wrong("`method` is none that is supported")),
        }
    }
}

fn written(state: &State, stream: &Stream) -> Value {
    let supported = event::supported();
    let delivered: Vec<&String> = supported
        .iter()
        .filter(|event| stream.requested.is_empty() || stream.requested.contains(event))
        .collect();
    let delivery = match &stream.delivery {
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
    })))
}

fn written_status(stream: &Stream) -> Value {
    let status = match stream.status {
        StreamStatus::Enabled => "enabled",
        StreamStatus::Paused => "paused",
        StreamStatus::Disabled => "disabled",
    };
    Value::from(claims(
        json!({ "stream_id": stream.id, "status": status, "reason": stream.reason }),
    ))
}
