//! Events fetched by their receiver (RFC 8936). It never waits for events: an empty answer comes at
//! once.

use crate::endpoint::http::caller::Caller;
use crate::endpoint::ssf::request::{Refused, body, client, told};
use crate::state::State;
use crate::store::stream::Delivery;
use axum::extract;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How many events one answer holds.
const MOST: usize = 100;

/// Section 2.2.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "maxEvents")]
    most: Option<usize>,
    #[serde(default)]
    ack: Vec<String>,
    /// Events that the receiver could not use: they are not sent again either.
    #[serde(default, rename = "setErrs")]
    errors: Map<String, Value>,
}

pub(crate) async fn poll(
    extract::State(state): extract::State<Arc<State>>,
    Path(id): Path<String>,
    caller: Caller,
    text: String,
) -> Response {
    told(fetched(&state, &id, &caller, &text))
}

fn fetched(
    state: &State,
    id: &str,
    caller: &Caller,
    text: &str,
) -> Result<(StatusCode, Value), Refused> {
    let (client, asked) = (
        client(state, caller)?,
        body::<Asked>(&caller.headers, text)?,
    );
    let mut store = state.store();
    let stream = store
        .stream(id, &client)
        .filter(|stream| matches!(stream.delivery, Delivery::Poll));
    let stream = stream.ok_or(Refused(
        StatusCode::NOT_FOUND,
        "there is no such stream to fetch from",
    ))?;
    stream.acknowledge(&asked.ack);
    stream.acknowledge(&asked.errors.keys().cloned().collect::<Vec<_>>());
    let most = asked.most.unwrap_or(MOST).min(MOST);
    let sets: Map<String, Value> = stream
        .oldest(most)
        .into_iter()
        .map(|(jti, set)| (jti, Value::from(set)))
        .collect();
    let more = stream.waiting() > sets.len();
    Ok((
        StatusCode::OK,
        json!({ "sets": sets, "moreAvailable": more }),
    ))
}
