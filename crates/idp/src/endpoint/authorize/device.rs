//! The device grant's first half (RFC 8628): a device gets two codes, and its user types one of
//! them on a page.
//!
//! The page asks for the code, shows who asks for what, and takes the answer together with name and
//! password: nothing is remembered between its steps, so there is nothing to forge. Guesses are not
//! counted.

use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::caller::Form;
use crate::endpoint::http::error::{OAuthError, json};
use crate::endpoint::http::params::Params;
use crate::endpoint::session::pages;
use crate::endpoint::token::grant_types::DEVICE_CODE;
use crate::state::State;
use crate::store::device::{DeviceAnswer, LIFE};
use axum::extract;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use std::sync::Arc;

/// The device authorization endpoint (section 3.1).
pub(crate) async fn begin(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    json(form.and_then(|form| codes(&state, &form)))
}

fn codes(state: &State, form: &Form) -> Result<Value, OAuthError> {
    let (client, params) = (form.client(state)?, &form.params);
    if !client.may_use(DEVICE_CODE) {
        return Err(OAuthError::new(
            "unauthorized_client",
            "the client may not use this grant",
        ));
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
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": LIFE,
        "interval": interval,
    }))
}

/// The page (section 3.3): for the code first, then with what is asked.
pub(crate) async fn show(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
) -> Response {
    let typed = Params::parse(&query.unwrap_or_default()).ok();
    match typed.as_ref().and_then(|params| params.find("user_code")) {
        None => pages::code_page(None),
        Some(typed) => page(&state, typed, None),
    }
}

/// The user's answer.
pub(crate) async fn decide(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let Ok(form) = form else {
        return pages::code_page(Some("The form could not be read."));
    };
    let field = |name: &str| form.params.find(name).unwrap_or_default();
    let typed = field("user_code");
    if form.params.find("cancel").is_some() {
        return match answer(&state, typed, DeviceAnswer::Denied) {
            true => pages::message_page(
                "Refused",
                "The device gets no access. You may close this page.",
            ),
            false => pages::code_page(Some(NO_SUCH_CODE)),
        };
    }
    let Some(user) = state
        .user(field("username"))
        .filter(|user| user.password.is(field("password")))
    else {
        return page(
            &state,
            typed,
            Some("This username and password do not belong together."),
        );
    };
    match allow(&state, typed, &user.username) {
        true => pages::message_page(
            "Allowed",
            "The device has access now. You may close this page.",
        ),
        false => pages::code_page(Some(NO_SUCH_CODE)),
    }
}

/// `POST /dev/device` with `user_code` and `user`, or `deny=true`: a user's answer without a
/// browser.
pub(crate) async fn decide_on_command(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let decided = form.and_then(|form| {
        let typed = form.params.need("user_code")?;
        let known = match form.params.find("deny") {
            Some("true") => answer(&state, typed, DeviceAnswer::Denied),
            _ => allow(&state, typed, form.params.need("user")?),
        };
        known
            .then_some(())
            .ok_or_else(|| OAuthError::invalid_request("there is no such code or no such user"))
    });
    match decided {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}

/// Allows a device in for a user, if both are known.
pub(crate) fn allow(state: &State, user_code: &str, username: &str) -> bool {
    let known = state.user(username).is_some();
    known
        && answer(
            state,
            user_code,
            DeviceAnswer::Allowed(username.to_owned(), state.now()),
        )
}

/// Refuses a device, if it is known.
pub(crate) fn deny(state: &State, user_code: &str) -> bool {
    answer(state, user_code, DeviceAnswer::Denied)
}

fn answer(state: &State, user_code: &str, answer: DeviceAnswer) -> bool {
    let (mut store, now) = (state.store(), state.now());
    let waiting = store.waiting_device(user_code, now);
    waiting.map(|request| request.answer = answer).is_some()
}

const NO_SUCH_CODE: &str = "No device waits for this code. It may have expired.";

fn page(state: &State, typed: &str, problem: Option<&str>) -> Response {
    let request = state.store().waiting_device(typed, state.now()).cloned();
    match request {
        None => pages::code_page(Some(NO_SUCH_CODE)),
        Some(request) => {
            let asked = pages::Asked {
                client: &request.client,
                audience: &request.audience,
                scope: &request.scope,
                action: "/device",
                user_code: Some(typed),
            };
            pages::page(state, &asked, problem)
        }
    }
}
