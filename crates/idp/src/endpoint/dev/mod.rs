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
use axum::body::HttpBody as _;
use axum::extract::{FromRequest as _, Request, State};
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
/// `same_kid=true` to give its name to the new one. The body may be empty.
pub(crate) async fn rotate(State(state): State<Arc<IdpState>>, request: Request) -> Response {
    match read_overlap(&state, request).await {
        Ok(overlap) => {
            state.keys.rotate(overlap).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn read_overlap(state: &Arc<IdpState>, request: Request) -> Result<Overlap, OAuthError> {
    // Programs send no type with an empty body.
    let has_type = request.headers().contains_key(CONTENT_TYPE);
    if !has_type && request.body().is_end_stream() {
        return Ok(Overlap::Without);
    }
    let form = PostedForm::from_request(request, state).await;
    let params = only(form, &["overlap", "same_kid"])?.params;
    let is_set = |name: &str| params.find(name) == Some("true");
    Ok(if is_set("overlap") {
        Overlap::With
    } else if is_set("same_kid") {
        Overlap::SameKid
    } else {
        // The old key goes at once: that is the case worth testing.
        Overlap::Without
    })
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
