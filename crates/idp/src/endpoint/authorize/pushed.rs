//! Pushed authorization requests (RFC 9126): a client says what it wants before it sends the
//! browser.
//!
//! What is pushed is judged at once, and good for one answer within two minutes.

use crate::endpoint::authorize::request::{Refusal, judge};
use crate::endpoint::client::dpop;
use crate::endpoint::http::caller::Form;
use crate::endpoint::http::error::{OAuthError, json};
use crate::endpoint::http::params::Params;
use crate::state::State;
use crate::token::encoding::random_text;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

const URN: &str = "urn:ietf:params:oauth:request_uri:";

const LIFE: u64 = 120;

pub(crate) async fn push(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let answer = form.and_then(|form| pushed(&state, &form));
    let created = answer.is_ok();
    let mut response = dpop::with_nonce(&state, json(answer));
    if created {
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

fn pushed(state: &State, form: &Form) -> Result<Value, OAuthError> {
    let client = form.client(state)?;
    if form.params.find("request_uri").is_some() {
        return Err(OAuthError::invalid_request(
            "`request_uri` cannot be pushed",
        ));
    }
    let mut params = form.params.without_credentials();
    params.insert("client_id", &client.id);
    if let Some(jkt) = dpop::proven_key(state, &form.caller, None)? {
        if params.find("dpop_jkt").is_some_and(|named| named != jkt) {
            return Err(OAuthError::new(
                "invalid_dpop_proof",
                "`dpop_jkt` names another key than the proof's",
            ));
        }
        params.insert("dpop_jkt", &jkt);
    }
    judge(state, &params).map_err(|refusal| match refusal {
        Refusal::Page(why) => OAuthError::invalid_request(why),
        Refusal::Back(_, error, why) => OAuthError::new(error, &why),
    })?;
    let uri = format!("{URN}{}", random_text(32));
    state
        .store()
        .add_pushed(&uri, &client.id, params.to_form(), LIFE, state.now());
    Ok(serde_json::json!({ "request_uri": uri, "expires_in": LIFE }))
}

/// Whether an address is of the kind that is given out here.
pub(crate) fn is_ours(request_uri: &str) -> bool {
    request_uri.starts_with(URN)
}

/// What that client pushed under this address.
pub(crate) fn find(state: &State, request_uri: &str, client: &str) -> Option<Params> {
    let pushed = state.store().pushed(request_uri, client, state.now())?;
    Params::parse(&pushed).ok()
}
