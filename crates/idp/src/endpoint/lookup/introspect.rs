//! Introspection (RFC 7662), also as a signed answer (RFC 9701). What is not active is only that.

use crate::endpoint::http::caller::Form;
use crate::endpoint::http::error::OAuthError;
use crate::state::State;
use crate::token::claims::{Claims, claims};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use serde_json::{Value, json};
use std::sync::Arc;

const SIGNED: &str = "application/token-introspection+jwt";

/// At the address that every dialect has.
pub(crate) async fn introspect(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    form: Result<Form, OAuthError>,
) -> Response {
    respond(&state, &headers, form, false)
}

/// At the imitated provider's address, which may ask nobody who they are.
pub(crate) async fn introspect_as_theirs(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    form: Result<Form, OAuthError>,
) -> Response {
    let open = state.shape.introspection_is_open();
    respond(&state, &headers, form, open)
}

fn respond(
    state: &State,
    headers: &HeaderMap,
    form: Result<Form, OAuthError>,
    open: bool,
) -> Response {
    let answer = form.and_then(|form| answer(state, &form, open));
    let no_store = (CACHE_CONTROL, "no-store");
    match answer {
        Err(error) => error.into_response(),
        Ok((Some(asking), answer)) if wants_signature(headers) => {
            let signed = signed(state, &asking, &answer);
            ([no_store, (CONTENT_TYPE, SIGNED)], signed).into_response()
        }
        Ok((_, answer)) => ([no_store], Json(answer)).into_response(),
    }
}

/// Who asks, where that is known, and the answer.
fn answer(state: &State, form: &Form, open: bool) -> Result<(Option<String>, Claims), OAuthError> {
    let asking = match open && !form.tells_who_asks() {
        true => None,
        false => {
            let client = form.client(state)?;
            if client.is_public() {
                return Err(OAuthError::invalid_client()); // it cannot prove that it may ask
            }
            Some(client.id.clone())
        }
    };
    let issued = state
        .store()
        .access_token(form.params.need("token")?, state.now());
    let answer = match issued {
        Some(issued) => state.shape.introspection(&issued),
        None => claims(json!({ "active": false })),
    };
    Ok((asking, answer))
}

fn wants_signature(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(SIGNED))
}

/// A JWT for whoever asks, with the answer inside (RFC 9701, section 5).
fn signed(state: &State, asking: &str, answer: &Claims) -> String {
    let key = state.keys.signing();
    let header =
        json!({ "alg": key.algorithm.name(), "kid": key.kid, "typ": "token-introspection+jwt" });
    let told = json!({
        "iss": state.issuer.as_str(),
        "aud": asking,
        "iat": state.now(),
        "token_introspection": Value::from(answer.clone()),
    });
    key.jws(&claims(header), &claims(told))
}
