//! The switches of the faults: `/dev/faults`. For development only.
//!
//! `GET` tells how they stand, as JSON; `POST` changes those that it names, as a form or as the
//! same JSON, all or none. The names are those of the endpoints, each with a fault; `clock_off`
//! with seconds; for the tokens of flows `access_token_flaw` and `id_token_flaw`, and
//! `access_token_claims` and `id_token_claims` with an object of claims that are written over, or
//! left out where they are null; and `reset=true`, before the others.

use crate::endpoint::http::caller::Form;
use crate::endpoint::http::error::OAuthError;
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::flaw::Flaw;
use crate::state::State;
use crate::token::claims::{Claims, claims};
use crate::token::kind::Kind;
use axum::extract::{FromRequest as _, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use portcullis_core::ConfigError;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Ten years: more is a mistake of units.
const FURTHEST: i64 = 315_360_000;

pub(crate) async fn show(extract::State(state): extract::State<Arc<State>>) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(positions(&state))).into_response()
}

pub(crate) async fn set(
    extract::State(state): extract::State<Arc<State>>,
    request: Request,
) -> Response {
    match wanted(&state, request)
        .await
        .and_then(|wanted| throw(&state, wanted))
    {
        Ok(()) => show(extract::State(state)).await,
        Err(error) => error.into_response(),
    }
}

/// How the switches stand.
fn positions(state: &State) -> Claims {
    let endpoints = Endpoint::ALL.map(|endpoint| (endpoint.name(), state.switches.fault(endpoint)));
    let mut positions: Claims = endpoints
        .into_iter()
        .map(|(name, fault)| (name.to_owned(), fault.to_string().into()))
        .collect();
    positions.extend(claims(json!({
        "clock_off": state.clock_off.load(Ordering::SeqCst),
        "access_token_flaw": flaw_of(state, Kind::Access),
        "access_token_claims": claims_of(state, Kind::Access),
        "id_token_flaw": flaw_of(state, Kind::Id),
        "id_token_claims": claims_of(state, Kind::Id),
    })));
    positions
}

/// The name of what is wrong with the tokens of a kind, besides claims.
pub(crate) fn flaw_of(state: &State, kind: Kind) -> &'static str {
    state
        .flaws
        .of(kind)
        .iter()
        .find_map(Flaw::name)
        .unwrap_or("none")
}

/// The claims that are written over in the tokens of a kind, null for those that are left out.
pub(crate) fn claims_of(state: &State, kind: Kind) -> Claims {
    let changed = |flaw| match flaw {
        Flaw::Claim(name, value) => Some((name, value)),
        Flaw::NoClaim(name) => Some((name, Value::Null)),
        _ => None,
    };
    state
        .flaws
        .of(kind)
        .into_iter()
        .filter_map(changed)
        .collect()
}

/// The members of the JSON, or the fields of the form.
async fn wanted(state: &Arc<State>, request: Request) -> Result<Claims, OAuthError> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if kind
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("application/json")
    {
        let body = String::from_request(request, state).await.ok();
        let read = body.and_then(|body| serde_json::from_str(&body).ok());
        return read.ok_or_else(|| OAuthError::invalid_request("the body must be a JSON object"));
    }
    let form = Form::from_request(request, state).await?;
    Ok(form
        .params
        .all()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect())
}

/// One switch and where it goes.
enum Change {
    Reset,
    Endpoint(Endpoint, Fault),
    Clock(i64),
    Flaw(Kind, Option<Flaw>),
    Claims(Kind, Claims),
}

/// Throws the switches, if all that is wanted makes sense.
pub(crate) fn throw(state: &State, wanted: Claims) -> Result<(), OAuthError> {
    let changes = wanted.into_iter().map(|(name, value)| change(&name, value));
    let changes = changes.collect::<Result<Vec<Change>, OAuthError>>()?;
    if changes.iter().any(|change| matches!(change, Change::Reset)) {
        state.clear_faults();
    }
    for change in changes {
        match change {
            Change::Reset => {}
            Change::Endpoint(endpoint, fault) => state.switches.set(endpoint, fault),
            Change::Clock(seconds) => state.clock_off.store(seconds, Ordering::SeqCst),
            Change::Flaw(kind, flaw) => {
                let kept = state
                    .flaws
                    .of(kind)
                    .into_iter()
                    .filter(|old| old.name().is_none());
                state.flaws.set(kind, kept.chain(flaw).collect());
            }
            Change::Claims(kind, claims) => {
                let kept = state
                    .flaws
                    .of(kind)
                    .into_iter()
                    .filter(|old| old.name().is_some());
                state.flaws.set(
                    kind,
                    kept.chain(claims.into_iter().map(written_over)).collect(),
                );
            }
        }
    }
    Ok(())
}

fn written_over((name, value): (String, Value)) -> Flaw {
    if value.is_null() {
        Flaw::NoClaim(name)
    } else {
        Flaw::Claim(name, value)
    }
}

fn change(name: &str, value: Value) -> Result<Change, OAuthError> {
    let wrong = |expected: &str| OAuthError::invalid_request(&format!("`{name}`: {expected}"));
    let text = || value.as_str().unwrap_or_default();
    match name {
        "reset" if value == true || value == "true" => Ok(Change::Reset),
        "reset" => Err(wrong("write `true`, or leave it out")),
        "clock_off" => {
            let told = value.as_i64().or_else(|| text().parse().ok());
            let seconds = told.filter(|seconds| (-FURTHEST..=FURTHEST).contains(seconds));
            seconds
                .map(Change::Clock)
                .ok_or_else(|| wrong("write seconds, ten years at most, as -3600"))
        }
        "access_token_flaw" => flaw(text())
            .map(|flaw| Change::Flaw(Kind::Access, flaw))
            .map_err(|to| wrong(&to)),
        "id_token_flaw" => flaw(text())
            .map(|flaw| Change::Flaw(Kind::Id, flaw))
            .map_err(|to| wrong(&to)),
        "access_token_claims" => object(value)
            .map(|claims| Change::Claims(Kind::Access, claims))
            .map_err(wrong),
        "id_token_claims" => object(value)
            .map(|claims| Change::Claims(Kind::Id, claims))
            .map_err(wrong),
        endpoint => {
            let unknown = |error: ConfigError| wrong(&error.to_string());
            Ok(Change::Endpoint(
                endpoint.parse().map_err(unknown)?,
                text().parse().map_err(unknown)?,
            ))
        }
    }
}

/// The flaw of that name; none for `none`.
fn flaw(name: &str) -> Result<Option<Flaw>, String> {
    if name == "none" {
        return Ok(None);
    }
    Flaw::named(name).map(Some).ok_or_else(|| {
        let names = Flaw::NAMES.map(|(name, _)| name).join(", ");
        format!("write one of none, {names}")
    })
}

/// A JSON object, also as text.
pub(crate) fn object(value: Value) -> Result<Claims, &'static str> {
    let read = match value {
        Value::String(text) => serde_json::from_str(&text).ok(),
        other => Some(other),
    };
    match read {
        Some(Value::Object(claims)) => Ok(claims),
        _ => Err("write a JSON object, as {\"aud\": \"other\", \"sub\": null}"),
    }
}
