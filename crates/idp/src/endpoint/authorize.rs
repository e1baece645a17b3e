//! The authorization endpoint (RFC 6749, section 3.1): a user signs in, and the browser goes back with a code.
//!
//! Errors go to the client only when the client and its redirect URI are right; else a page tells them.

use super::caller::Form;
use super::error::OAuthError;
use super::login;
use super::request::{AuthorizationRequest, Back, Refusal, read};
use crate::keys::random_text;
use crate::state::State;
use crate::store::Grant;
use axum::extract;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use url::Url;

pub(super) async fn show(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    match read(&state, &query) {
        Ok(request) if request.prompt.as_deref() == Some("none") => {
            refuse_back(&state, &request.back, "login_required", "nobody is signed in")
        }
        Ok(request) => page(&state, &request, &query, None),
        Err(refusal) => refuse(&state, &refusal),
    }
}

pub(super) async fn sign_in(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    form: Result<Form, OAuthError>,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match read(&state, &query) {
        Ok(request) => request,
        Err(refusal) => return refuse(&state, &refusal),
    };
    let Ok(Form { params: form, .. }) = form else {
        return page(&state, &request, &query, Some("The form could not be read."));
    };
    let (username, password) =
        (form.find("username").unwrap_or_default(), form.find("password").unwrap_or_default());
    let known = state.user(username).filter(|user| user.password.is(password));
    if form.find("cancel").is_none() && known.is_none() {
        let problem = "This username and password do not belong together.";
        return page(&state, &request, &query, Some(problem));
    }
    if request.pushed.as_ref().is_some_and(|uri| !state.store().use_pushed(uri)) {
        return login::error_page("The pushed request was used before.");
    }
    match known.filter(|_| form.find("cancel").is_none()) {
        Some(user) => send_code(&state, request, &user.username),
        None => refuse_back(&state, &request.back, "access_denied", "the user did not sign in"),
    }
}

fn page(state: &State, request: &AuthorizationRequest, query: &str, problem: Option<&str>) -> Response {
    let asked = login::Asked {
        client: &request.client.id,
        audience: &request.audience,
        scope: &request.scope,
        action: &format!("/authorize?{query}"),
        user_code: None,
    };
    login::page(state, &asked, problem)
}

fn send_code(state: &State, request: AuthorizationRequest, username: &str) -> Response {
    let now = state.now();
    let mut store = state.store();
    let grant = Grant {
        id: store.next_grant(),
        client: request.client.id.clone(),
        username: username.to_owned(),
        scope: request.scope,
        audience: request.audience,
        nonce: request.nonce,
        auth_time: now,
        session: random_text(16),
        jkt: request.dpop_jkt,
        act: None,
        way: "authorization_code",
    };
    let code = store.add_code(grant, request.back.redirect_uri.clone(), request.challenge, now);
    drop(store);
    redirect(state, &request.back, &[("code", &code)])
}

fn refuse(state: &State, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Page(message) => login::error_page(message),
        Refusal::Back(back, error, description) => refuse_back(state, back, error, description),
    }
}

fn refuse_back(state: &State, back: &Back, error: &str, description: &str) -> Response {
    redirect(state, back, &[("error", error), ("error_description", description)])
}

/// Sends the browser back, by GET whatever came (RFC 9700, section 4.12), naming the issuer (RFC 9207).
fn redirect(state: &State, back: &Back, params: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(&back.redirect_uri) else {
        return login::error_page("The redirect URI is not a URL.");
    };
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(params);
        if let Some(state) = &back.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", state.issuer.as_str());
    }
    (StatusCode::SEE_OTHER, [(LOCATION, url.as_str()), (CACHE_CONTROL, "no-store")]).into_response()
}
