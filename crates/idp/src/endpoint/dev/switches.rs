//! The fault switches: `/dev/faults`. For development only.
//!
//! `GET` returns their positions as JSON. `POST` changes those that it names, from a form or from
//! the same JSON: all of them, or none. The names are those of the endpoints, each with a fault;
//! `clock_off` with seconds; for the tokens of flows `access_token_flaw` and `id_token_flaw`, and
//! `access_token_claims` and `id_token_claims` with an object of claims that are written over, or
//! left out where they are null; the same for what is sent, `logout_token_...` and `event_...`; and
//! `reset=true`, before the others.

use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::header::is_body_of;
use crate::fault::endpoint::Endpoint;
use crate::fault::flaw::Flaw;
use crate::fault::order::FaultOrder;
use crate::state::IdpState;
use crate::token::claims::JsonObject;
use crate::token::kind::FlowToken;
use axum::Json;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use portcullis_core::ConfigError;
use serde_json::Value;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Ten years: more is a mistake of units.
const FURTHEST: i64 = 315_360_000;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(positions(&state))).into_response()
}

pub(crate) async fn set(State(state): State<Arc<IdpState>>, request: Request) -> Response {
    let wanted = match read_changes(&state, request).await {
        Ok(wanted) => wanted,
        Err(error) => return error.into_response(),
    };
    match throw(&state, wanted) {
        Ok(()) => show(State(state)).await,
        Err(error) => error.into_response(),
    }
}

/// The positions of all switches.
fn positions(state: &IdpState) -> JsonObject {
    let mut positions = JsonObject::new();
    for endpoint in Endpoint::ALL {
        let fault = state.switches.order(endpoint).to_string();
        positions.insert(endpoint.name().to_owned(), fault.into());
    }
    let clock_off = state.clock_off.load(Ordering::SeqCst);
    positions.insert("clock_off".to_owned(), clock_off.into());
    for kind in FlowToken::ALL {
        let name = kind.name();
        positions.insert(format!("{name}_flaw"), flaw_of(state, kind).into());
        positions.insert(format!("{name}_claims"), claims_of(state, kind).into());
    }
    positions
}

/// The named flaw of the tokens of a kind, or `none`.
pub(crate) fn flaw_of(state: &IdpState, kind: FlowToken) -> &'static str {
    let flaws = state.flaws.of(kind);
    flaws.iter().find_map(Flaw::name).unwrap_or("none")
}

/// The changed claims of the tokens of a kind; null stands for a removed one.
pub(crate) fn claims_of(state: &IdpState, kind: FlowToken) -> JsonObject {
    let mut claims = JsonObject::new();
    for flaw in state.flaws.of(kind) {
        match flaw {
            Flaw::Claim(name, value) => _ = claims.insert(name, value),
            Flaw::NoClaim(name) => _ = claims.insert(name, Value::Null),
            _ => {}
        }
    }
    claims
}

/// The members of the JSON, or the fields of the form.
async fn read_changes(state: &Arc<IdpState>, request: Request) -> Result<JsonObject, OAuthError> {
    if is_body_of(request.headers(), "application/json") {
        let body = String::from_request(request, state)
            .await
            .unwrap_or_default();
        return match serde_json::from_str(&body) {
            Ok(changes) => Ok(changes),
            Err(_) => Err(OAuthError::invalid_request(
                "the body must be a JSON object",
            )),
        };
    }
    let form = PostedForm::from_request(request, state).await?;
    Ok(form.params.to_object())
}

/// A change of one switch.
enum SwitchChange {
    Reset,
    Endpoint(Endpoint, FaultOrder),
    Clock(i64),
    Flaw(FlowToken, Option<Flaw>),
    Claims(FlowToken, JsonObject),
}

/// Applies the changes, if all of them are valid.
pub(crate) fn throw(state: &IdpState, wanted: JsonObject) -> Result<(), OAuthError> {
    // Every change is read before the first one is made: all of them apply, or none.
    let mut changes = Vec::new();
    for (name, value) in wanted {
        match change(&name, &value) {
            Ok(change) => changes.push(change),
            Err(problem) => {
                return Err(OAuthError::invalid_request(&format!("`{name}`: {problem}")));
            }
        }
    }
    // JSON objects are sorted here, so the reset does not come first by itself.
    if changes
        .iter()
        .any(|change| matches!(change, SwitchChange::Reset))
    {
        state.clear_faults();
    }
    for change in changes {
        match change {
            SwitchChange::Reset => {}
            SwitchChange::Endpoint(endpoint, order) => state.switches.set(endpoint, order),
            SwitchChange::Clock(seconds) => state.clock_off.store(seconds, Ordering::SeqCst),
            SwitchChange::Flaw(kind, flaw) => set_flaw(state, kind, flaw),
            SwitchChange::Claims(kind, claims) => set_claims(state, kind, claims),
        }
    }
    Ok(())
}

/// Replaces the named flaw, and keeps the changed claims.
fn set_flaw(state: &IdpState, kind: FlowToken, flaw: Option<Flaw>) {
    let mut flaws = state.flaws.of(kind);
    flaws.retain(|old| old.name().is_none());
    flaws.extend(flaw);
    state.flaws.set(kind, flaws);
}

/// Replaces the changed claims, and keeps the named flaw.
fn set_claims(state: &IdpState, kind: FlowToken, claims: JsonObject) {
    let mut flaws = state.flaws.of(kind);
    flaws.retain(|old| old.name().is_some());
    flaws.extend(claims.into_iter().map(claim_flaw));
    state.flaws.set(kind, flaws);
}

fn claim_flaw((name, value): (String, Value)) -> Flaw {
    if value.is_null() {
        Flaw::NoClaim(name)
    } else {
        Flaw::Claim(name, value)
    }
}

fn change(name: &str, value: &Value) -> Result<SwitchChange, String> {
    let text = value.as_str().unwrap_or_default();
    match name {
        "reset" if *value == true || text == "true" => Ok(SwitchChange::Reset),
        "reset" => Err(format!("expected `true`, found {value}")),
        "clock_off" => Ok(SwitchChange::Clock(seconds(value)?)),
        endpoint => {
            if let Some(kind) = kind_of(name, "_flaw") {
                return Ok(SwitchChange::Flaw(kind, flaw(kind, text)?));
            }
            if let Some(kind) = kind_of(name, "_claims") {
                return Ok(SwitchChange::Claims(kind, object(value)?));
            }
            let endpoint = Endpoint::from_str(endpoint).map_err(|error| problem(&error))?;
            let order = FaultOrder::from_str(text).map_err(|error| problem(&error))?;
            Ok(SwitchChange::Endpoint(endpoint, order))
        }
    }
}

/// The kind of token that a switch of that ending is for.
fn kind_of(switch: &str, ending: &str) -> Option<FlowToken> {
    let kind = switch.strip_suffix(ending)?;
    FlowToken::ALL
        .into_iter()
        .find(|known| known.name() == kind)
}

fn seconds(value: &Value) -> Result<i64, String> {
    let seconds = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    match seconds {
        Some(seconds) if (-FURTHEST..=FURTHEST).contains(&seconds) => Ok(seconds),
        _ => Err(format!(
            "expected seconds such as -3600, ten years at most, found {value}"
        )),
    }
}

/// The fault without its place: the caller puts the name of the switch in front.
fn problem(error: &ConfigError) -> String {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((_, problem)) => problem.to_owned(),
        None => text,
    }
}

/// The flaw of that name; none for `none`.
fn flaw(kind: FlowToken, name: &str) -> Result<Option<Flaw>, String> {
    if name == "none" {
        return Ok(None);
    }
    match Flaw::from_name(kind, name) {
        Some(flaw) => Ok(Some(flaw)),
        None => {
            let names = Flaw::names(kind);
            Err(format!("expected one of none, {names}, found {name:?}"))
        }
    }
}

/// A JSON object, or the text of one.
pub(crate) fn object(value: &Value) -> Result<JsonObject, String> {
    let read = match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    match read {
        Value::Object(claims) => Ok(claims),
        _ => Err(format!(
            "expected a JSON object such as {{\"aud\": \"other\", \"sub\": null}}, found {value}"
        )),
    }
}
