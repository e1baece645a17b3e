//! What no real provider has: a token for anybody, and new keys, on command. For development only.

pub(crate) mod making;
pub(crate) mod switches;

use crate::endpoint::dev::making::made;
use crate::endpoint::http::caller::Form;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::issue::event;
use crate::issue::event::SecurityEvent;
use crate::issue::logout::end_all;
use crate::keys::Overlap;
use crate::state::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use serde_json::json;
use std::sync::Arc;

/// `POST /dev/token`: the bare token, as [`made`] describes it.
pub(crate) async fn token(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    match form.and_then(|form| made(&state, &form.params)) {
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
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let overlap = match form {
        Ok(Form { params, .. }) if params.find("overlap") == Some("true") => Overlap::With,
        Ok(Form { params, .. }) if params.find("same_kid") == Some("true") => Overlap::SameKid,
        Ok(_) => Overlap::Without,
        Err(error) => return error.into_response(),
    };
    state.keys.rotate(overlap).await;
    StatusCode::NO_CONTENT.into_response()
}

/// `POST /dev/logout` with `user`: signs them out everywhere, and tells which clients were told,
/// and what they answered.
pub(crate) async fn logout(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let user = form.and_then(|form| form.params.need("user").map(str::to_owned));
    let notices = match user {
        Ok(user) => end_all(&state, &user).await,
        Err(error) => return error.into_response(),
    };
    let told = notices
        .into_iter()
        .map(|it| json!({ "client": it.client, "uri": it.uri, "status": it.status }));
    Json(told.collect::<Vec<_>>()).into_response()
}

/// `POST /dev/event` with `user` and `event` (`session-revoked`, `credential-change`,
/// `token-claims-change`, `account-disabled`, `account-enabled`); for changed claims, `claims` as a
/// JSON object.
pub(crate) async fn event(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let asked = form.and_then(|form| {
        Ok((
            form.params.need("user")?.to_owned(),
            event_of(&form.params)?,
        ))
    });
    let notices = match asked {
        Ok((user, event)) => event::send(&state, &user, None, &event).await,
        Err(error) => return error.into_response(),
    };
    let told = notices.into_iter().map(|it| {
        json!({
            "stream": it.stream,
            "client": it.client,
            "jti": it.jti,
            "status": it.status,
            "waits": it.waits,
        })
    });
    Json(told.collect::<Vec<_>>()).into_response()
}

fn event_of(params: &Params) -> Result<SecurityEvent, OAuthError> {
    let text = |name: &str, default: &str| params.find(name).unwrap_or(default).to_owned();
    match params.need("event")? {
        "session-revoked" => Ok(SecurityEvent::SessionRevoked),
        "account-disabled" => Ok(SecurityEvent::AccountDisabled),
        "account-enabled" => Ok(SecurityEvent::AccountEnabled),
        "credential-change" => Ok(SecurityEvent::CredentialChange {
            credential_type: text("credential_type", "password"),
            change_type: text("change_type", "update"),
        }),
        "token-claims-change" => serde_json::from_str(&text("claims", "{}"))
            .map(SecurityEvent::TokenClaimsChange)
            .map_err(|_| OAuthError::invalid_request("`claims` is no JSON object")),
        _ => Err(OAuthError::invalid_request("`event` is none that is known")),
    }
}
