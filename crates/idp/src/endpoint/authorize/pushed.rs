//! Pushed authorization requests (RFC 9126): a client sends its parameters before the browser.
//!
//! A pushed request is checked at once, and is good for one sign-in within two minutes.

use crate::endpoint::authorize::request::{AuthorizationRefusal, judge};
use crate::endpoint::client::dpop;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::{OAuthError, json};
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use crate::token::encoding::random_text;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

const URN: &str = "urn:ietf:params:oauth:request_uri:";

const LIFE: u64 = 120;

pub(crate) async fn push(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let answer = form.and_then(|form| accept(&state, &form));
    let created = answer.is_ok();
    let mut response = dpop::with_nonce(&state, json(answer));
    if created {
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

fn accept(state: &IdpState, form: &PostedForm) -> Result<Value, OAuthError> {
    let client = form.client(state)?;
    // RFC 9126, section 2.1: a pushed request cannot point to another one.
    if form.params.find("request_uri").is_some() {
        return Err(OAuthError::invalid_request(
            "`request_uri` cannot be pushed",
        ));
    }
    // The client is authenticated now; the stored request needs no secrets.
    let mut params = form.params.without_credentials();
    // The authenticated client counts, not the one that the form names.
    params.insert("client_id", &client.id);
    if let Some(jkt) = dpop::proven_key(state, &form.caller, None)? {
        let named = params.find("dpop_jkt").unwrap_or(&jkt);
        if named != jkt {
            return Err(OAuthError::new(
                "invalid_dpop_proof",
                "`dpop_jkt` names another key than the proof's",
            ));
        }
        params.insert("dpop_jkt", &jkt);
    }
    judge(state, &params).map_err(|refusal| match refusal {
        AuthorizationRefusal::Page(why) => OAuthError::invalid_request(&why.sentence()),
        AuthorizationRefusal::Back(_, error, why) => OAuthError::new(error, &why),
    })?;
    let uri = format!("{URN}{}", random_text(32));
    state
        .store()
        .add_pushed(&uri, &client.id, params.to_form(), LIFE, state.now());
    Ok(serde_json::json!({ "request_uri": uri, "expires_in": LIFE }))
}

/// Whether a `request_uri` was issued here.
pub(crate) fn is_ours(request_uri: &str) -> bool {
    request_uri.starts_with(URN)
}

/// The request that this client pushed.
pub(crate) fn find(state: &IdpState, request_uri: &str, client: &str) -> Option<Params> {
    let pushed = state
        .store()
        .pushed_request(request_uri, client, state.now())?;
    Params::parse(&pushed).ok()
}
