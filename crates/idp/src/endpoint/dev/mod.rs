//! Commands that no real provider has: a token for anybody, new keys, a logout. For development
//! only.

pub(crate) mod event;
pub(crate) mod making;
pub(crate) mod stream;
pub(crate) mod switches;

use crate::endpoint::dev::making::{TokenMark, make_token, unknown_flaw};
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::fault::flaw::Flaw;
use crate::issue::logout::{LogoutNotice, end_all};
use crate::keys::Overlap;
use crate::state::IdpState;
use crate::token::kind::FlowToken;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /dev/token`: the bare token, as [`make_token`] describes it.
pub(crate) async fn token(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    match form.and_then(|form| make_token(&state, &form.params)) {
        Ok(made) => {
            let headers = [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "text/plain")];
            let mut response = (headers, made.token).into_response();
            response.extensions_mut().insert(TokenMark(made.kind));
            response
        }
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
    let overlap = match only(form, &["overlap", "same_kid"]) {
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
/// notified, and how each answered. With a `flaw`, their logout tokens have it.
pub(crate) async fn logout(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let form = only(form, &["user", "flaw"]);
    match form {
        Ok(form) => match log_out(&state, &form.params).await {
            Ok(notices) => Json(notices.iter().map(describe).collect::<Vec<_>>()).into_response(),
            Err(error) => error.into_response(),
        },
        Err(error) => error.into_response(),
    }
}

/// Signs the user out that the parameters name.
pub(crate) async fn log_out(
    state: &Arc<IdpState>,
    params: &Params,
) -> Result<Vec<LogoutNotice>, OAuthError> {
    let user = params.need("user")?;
    let flaw = match params.find("flaw").filter(|flaw| *flaw != "none") {
        Some(name) => {
            let flaw = Flaw::from_name(FlowToken::Logout, name);
            Some(flaw.ok_or_else(|| unknown_flaw(FlowToken::Logout, name))?)
        }
        None => None,
    };
    Ok(end_all(state, user, flaw.as_slice()).await)
}

fn describe(it: &LogoutNotice) -> Value {
    json!({ "client": it.client, "uri": it.uri, "status": it.status, "error": it.error })
}

/// The form, if it has these members alone.
pub(crate) fn only(
    form: Result<PostedForm, OAuthError>,
    known: &[&str],
) -> Result<PostedForm, OAuthError> {
    let form = form?;
    form.params.allow_only(known)?;
    Ok(form)
}
