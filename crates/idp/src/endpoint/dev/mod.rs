//! Commands that no real provider has: a token for anybody, new keys, a logout. For development
//! only.

pub(crate) mod making;
pub(crate) mod switches;

use crate::endpoint::dev::making::make_token;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::issue::event;
use crate::issue::event::SecurityEvent;
use crate::issue::logout::end_all;
use crate::keys::Overlap;
use crate::state::IdpState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::sync::Arc;

/// `POST /dev/token`: the bare token, as [`make_token`] describes it.
pub(crate) async fn token(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    match form.and_then(|form| make_token(&state, &form.params)) {
        Ok(made) => (
            [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "text/plain")],
            made.token,
        )
            .into_response(),
        Err(error) => error.into_response(),
    }
}

/// `POST /dev/rotate`, with `overlap=true` to keep the old key published beside the new one, or
/// `same_kid=true` to give its name to the new one.
pub(crate) async fn rotate(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    // Without a parameter the old key goes at once: that is the case worth testing.
    let overlap = match form {
        Ok(PostedForm { params, .. }) if params.find("overlap") == Some("true") => Overlap::With,
        Ok(PostedForm { params, .. }) if params.find("same_kid") == Some("true") => {
            Overlap::SameKid
        }
        Ok(_) => Overlap::Without,
        Err(error) => return error.into_response(),
    };
    state.keys.rotate(overlap).await;
    StatusCode::NO_CONTENT.into_response()
}

/// `POST /dev/logout` with `user`: signs them out everywhere, and returns which clients were
/// notified, and how each answered.
pub(crate) async fn logout(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let form = match form {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    let user = match form.params.need("user") {
        Ok(user) => user,
        Err(error) => return error.into_response(),
    };
    let mut notices = Vec::new();
    for it in end_all(&state, user).await {
        notices.push(json!({ "client": it.client, "uri": it.uri, "status": it.status }));
    }
    Json(notices).into_response()
}

/// `POST /dev/event` with `user` and `event` (`session-revoked`, `credential-change`,
/// `token-claims-change`, `account-disabled`, `account-enabled`); for changed claims, `claims` as a
/// JSON object.
pub(crate) async fn event(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let (user, event) = match form.and_then(|form| user_and_event(&form.params)) {
        Ok(both) => both,
        Err(error) => return error.into_response(),
    };
    let mut notices = Vec::new();
    for it in event::send(&state, &user, None, &event).await {
        notices.push(json!({
            "stream": it.stream,
            "client": it.client,
            "jti": it.jti,
            "status": it.status,
            "waits": it.waits,
        }));
    }
    Json(notices).into_response()
}

fn user_and_event(params: &Params) -> Result<(String, SecurityEvent), OAuthError> {
    Ok((params.need("user")?.to_owned(), event_of(params)?))
}

fn event_of(params: &Params) -> Result<SecurityEvent, OAuthError> {
    match params.need("event")? {
        "session-revoked" => Ok(SecurityEvent::SessionRevoked),
        "account-disabled" => Ok(SecurityEvent::AccountDisabled),
        "account-enabled" => Ok(SecurityEvent::AccountEnabled),
        "credential-change" => Ok(SecurityEvent::CredentialChange {
            credential_type: params
                .find("credential_type")
                .unwrap_or("password")
                .to_owned(),
            change_type: params.find("change_type").unwrap_or("update").to_owned(),
        }),
        "token-claims-change" => {
            match serde_json::from_str(params.find("claims").unwrap_or("{}")) {
                Ok(claims) => Ok(SecurityEvent::TokenClaimsChange(claims)),
                Err(_) => Err(OAuthError::invalid_request(
                    "`claims` must be a JSON object",
                )),
            }
        }
        _ => Err(OAuthError::invalid_request(
            "`event` must be session-revoked, credential-change, token-claims-change, \
                account-disabled or account-enabled",
        )),
    }
}
