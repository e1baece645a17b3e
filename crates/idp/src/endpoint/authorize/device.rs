//! The first half of the device grant (RFC 8628): a device gets two codes, and its user types one
//! of them on a page.
//!
//! The page asks for the code, shows the request, and takes the answer together with username and
//! password. Nothing is remembered between these steps, so there is nothing to forge. Guesses are
//! not counted.

use crate::endpoint::authorize::code::{WRONG_PASSWORD, user_of};
use crate::endpoint::client::mismatch::{Mismatch, list};
use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::{OAuthError, json, printable};
use crate::endpoint::http::params::Params;
use crate::endpoint::session::pages;
use crate::endpoint::token::grant_types::DEVICE_CODE;
use crate::state::IdpState;
use crate::store::device::{DeviceAnswer, LIFE};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use std::sync::Arc;

/// The device authorization endpoint (section 3.1).
pub(crate) async fn begin(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    json(form.and_then(|form| codes(&state, &form)))
}

fn codes(state: &IdpState, form: &PostedForm) -> Result<Value, OAuthError> {
    let (client, params) = (form.client(state)?, &form.params);
    // Not only at the token endpoint: there the user would have allowed the device in vain.
    if !client.may_use(DEVICE_CODE) {
        return Err(Mismatch::of_grant(&client, DEVICE_CODE).into_error("unauthorized_client"));
    }
    let scope = params.scope(state, &client, &OPENID_SCOPES)?;
    let asked = (client.id.clone(), scope, params.audience(state, &client)?);
    let interval = u64::from(state.config.device_poll_interval);
    let (device_code, user_code) = state.store().add_device(asked, interval, state.now());
    let page = state.url("/device");
    Ok(serde_json::json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        // For a QR code, so that nobody has to type (RFC 8628, section 3.3.1).
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": LIFE,
        "interval": interval,
    }))
}

/// The page (section 3.3): first for the code, then for the user's answer.
pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let Ok(params) = Params::parse(&query.unwrap_or_default()) else {
        return pages::code_page(None);
    };
    match params.find("user_code") {
        None => pages::code_page(None),
        // The link may come from an attacker (RFC 8628, section 5.4): it allows nothing by itself.
        Some(typed) => page(&state, typed, None),
    }
}

/// The user's answer.
pub(crate) async fn decide(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let Ok(form) = form else {
        return pages::code_page(Some("The form could not be read."));
    };
    let typed = form.params.find("user_code").unwrap_or_default();
    // A refusal needs no password: it gives access to nobody.
    if form.params.find("cancel").is_some() {
        return if deny(&state, typed) {
            pages::message_page(
                "Access denied",
                "The device gets no access. You can close this page.",
            )
        } else {
            pages::code_page(Some(NO_SUCH_CODE))
        };
    }
    // A wrong password leaves the code waiting, so that the user can try again.
    let Some(user) = user_of(&state, &form.params) else {
        let username = form.params.find("username");
        return page(&state, typed, Some((WRONG_PASSWORD, username)));
    };
    if allow(&state, typed, &user.username) {
        pages::message_page(
            "Device connected",
            "The device has access now. You can close this page.",
        )
    } else {
        pages::code_page(Some(NO_SUCH_CODE))
    }
}

/// `POST /dev/device` with `user_code` and `user`, or `deny=true`: a user's answer without a
/// browser.
pub(crate) async fn decide_on_command(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    match form.and_then(|form| decide_by(&state, &form.params)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}

fn decide_by(state: &IdpState, params: &Params) -> Result<(), OAuthError> {
    let typed = params.need("user_code")?;
    let known = match params.find("deny") {
        Some("true") => deny(state, typed),
        _ => {
            let name = params.need("user")?;
            if state.user(name).is_none() {
                return Err(unknown_user(state, name));
            }
            allow(state, typed, name)
        }
    };
    if known {
        return Ok(());
    }
    Err(OAuthError::invalid_request(&format!(
        "`user_code`: expected the code of a device that waits for its user, found `{}`; a code is \
         good once, and for {LIFE} s",
        printable(typed)
    )))
}

fn unknown_user(state: &IdpState, name: &str) -> OAuthError {
    let users = list(&state.usernames());
    OAuthError::invalid_request(&format!(
        "`user`: expected the name of a user, found `{}`; users: {users}",
        printable(name)
    ))
}

/// Allows a device for a user, if both are known.
pub(crate) fn allow(state: &IdpState, user_code: &str, username: &str) -> bool {
    // A request that an unknown user allowed could only end in an error for the device.
    if state.user(username).is_none() {
        return false;
    }
    let allowed = DeviceAnswer::Allowed(username.to_owned(), state.now());
    answer(state, user_code, allowed)
}

/// Denies a device, if it is known.
pub(crate) fn deny(state: &IdpState, user_code: &str) -> bool {
    answer(state, user_code, DeviceAnswer::Denied)
}

fn answer(state: &IdpState, user_code: &str, answer: DeviceAnswer) -> bool {
    match state.store().waiting_device(user_code, state.now()) {
        Some(request) => {
            request.answer = answer;
            true
        }
        None => false,
    }
}

const NO_SUCH_CODE: &str = "No device is waiting for this code. It may have expired.";

/// The page; after a problem, with the name that was typed.
fn page(state: &IdpState, typed: &str, problem: Option<(&str, Option<&str>)>) -> Response {
    let request = state
        .store()
        .waiting_device(typed, state.now())
        .cloned();
    match request {
        None => pages::code_page(Some(NO_SUCH_CODE)),
        Some(request) => {
            let asked = pages::ConsentRequest {
                client: &request.client,
                audience: &request.audience,
                scope: &request.scope,
                action: "/device",
                user_code: Some(typed),
                username: problem.and_then(|(_, username)| username),
            };
            pages::page(state, &asked, problem.map(|(problem, _)| problem))
        }
    }
}
