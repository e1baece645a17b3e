//! Introspection (RFC 7662), also as a signed response (RFC 9701). About an inactive token it says
//! nothing more.

use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::{OAuthError, printable};
use crate::state::IdpState;
use crate::token::claims::{JsonObject, claims};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::Arc;

const SIGNED: &str = "application/token-introspection+jwt";

/// The endpoint that every dialect has.
pub(crate) async fn introspect(
    State(state): State<Arc<IdpState>>,
    headers: HeaderMap,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    respond(&state, &headers, form, false)
}

/// The imitated provider's endpoint, which may need no client authentication.
pub(crate) async fn introspect_as_theirs(
    State(state): State<Arc<IdpState>>,
    headers: HeaderMap,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let open = state.shape.introspection_is_open();
    respond(&state, &headers, form, open)
}

fn respond(
    state: &IdpState,
    headers: &HeaderMap,
    form: Result<PostedForm, OAuthError>,
    open: bool,
) -> Response {
    let answer = form.and_then(|form| answer(state, &form, open));
    let no_store = (CACHE_CONTROL, "no-store");
    match answer {
        Err(error) => error.into_response(),
        Ok((Some(asking), answer)) if wants_signature(headers) => {
            let signed = sign_answer(state, &asking, &answer);
            // A signed answer needs an audience, so an anonymous caller gets plain JSON.
            ([no_store, (CONTENT_TYPE, SIGNED)], signed).into_response()
        }
        Ok((_, answer)) => ([no_store], Json(answer)).into_response(),
    }
}

/// The client that asks, if it is known, and the answer.
fn answer(
    state: &IdpState,
    form: &PostedForm,
    open: bool,
) -> Result<(Option<String>, JsonObject), OAuthError> {
    let mut asking = None;
    if !open || form.tells_who_asks() {
        let client = form.client(state)?;
        // A public client proves nothing, so anybody could ask in its name.
        if client.is_public() {
            return Err(OAuthError::invalid_client(&format!(
                "client `{}` is public: introspection needs one with a secret, a key or a \
                 certificate",
                printable(&client.id)
            )));
        }
        asking = Some(client.id.clone());
    }
    let token = form.params.need("token")?;
    let issued = state.store().access_token(token, state.now());
    let answer = match issued {
        Some(issued) => state.shape.introspection(&issued),
        // Nothing else, not even the reason (RFC 7662, section 2.2).
        None => claims(json!({ "active": false })),
    };
    Ok((asking, answer))
}

fn wants_signature(headers: &HeaderMap) -> bool {
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let media_type = range.split(';').next().unwrap_or_default();
            if media_type.trim().eq_ignore_ascii_case(SIGNED) {
                return true;
            }
        }
    }
    false
}

/// The answer in a JWT for the client that asks (RFC 9701, section 5).
fn sign_answer(state: &IdpState, asking: &str, answer: &JsonObject) -> String {
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
