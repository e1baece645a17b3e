//! The authorization endpoint (RFC 6749, section 3.1): a user signs in, and the browser goes back
//! with a code.
//!
//! Errors go to the client only when the client and its redirect URI are right; else a page tells
//! them.

use crate::endpoint::authorize::pushed;
use crate::endpoint::authorize::request::{AuthorizationRequest, Back, Refusal, judge};
use crate::endpoint::http::caller::{Caller, Form};
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::endpoint::session::{browser, pages};
use crate::state::State;
use crate::store::Grant;
use crate::store::session::Session;
use axum::extract;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use url::Url;

pub(crate) async fn show(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    caller: Caller,
) -> Response {
    let query = query.unwrap_or_default();
    match read(&state, &query) {
        Ok(request) if request.prompt.as_deref() == Some("none") => {
            without_a_page(&state, request, &caller)
        }
        Ok(request) => page(&state, &request, &query, None),
        Err(refusal) => refuse(&state, &refusal),
    }
}

pub(crate) async fn sign_in(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    form: Result<Form, OAuthError>,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match read(&state, &query) {
        Ok(request) => request,
        Err(refusal) => return refuse(&state, &refusal),
    };
    let Ok(Form {
        params: form,
        caller,
    }) = form
    else {
        return page(
            &state,
            &request,
            &query,
            Some("The form could not be read."),
        );
    };
    let (username, password) = (
        form.find("username").unwrap_or_default(),
        form.find("password").unwrap_or_default(),
    );
    let known = state
        .user(username)
        .filter(|user| user.password.is(password));
    if form.find("cancel").is_none() && known.is_none() {
        let problem = "This username and password do not belong together.";
        return page(&state, &request, &query, Some(problem));
    }
    if request
        .pushed
        .as_ref()
        .is_some_and(|uri| !state.store().use_pushed(uri))
    {
        return pages::error_page("The pushed request was used before.");
    }
    match known.filter(|_| form.find("cancel").is_none()) {
        Some(user) => {
            let before = browser::secret(&state, &caller.headers);
            let (session, secret) = state.store().sign_in(before, &user.username, state.now());
            browser::with_secret(&state, send_code(&state, request, &session), &secret)
        }
        None => refuse_back(
            &state,
            &request.back,
            "access_denied",
            "the user did not sign in",
        ),
    }
}

/// A code for whoever is signed in with this browser, if that is who and as the client wants it.
fn without_a_page(state: &State, request: AuthorizationRequest, caller: &Caller) -> Response {
    let (mut store, now) = (state.store(), state.now());
    let session = store.session_of_browser(browser::secret(state, &caller.headers), now);
    let session = session.filter(|session| {
        let fresh = request
            .max_age
            .is_none_or(|age| now.saturating_sub(session.auth_time) <= age);
        let hinted = request
            .hint
            .as_ref()
            .map(|token| store.id_token(token, now));
        let as_hinted =
            hinted.is_none_or(|hint| hint.is_some_and(|hint| hint.username == session.username));
        fresh && as_hinted
    });
    let first = request
        .pushed
        .as_ref()
        .is_none_or(|uri| session.is_none() || store.use_pushed(uri));
    drop(store);
    match session {
        Some(session) if first => send_code(state, request, &session),
        _ => refuse_back(
            state,
            &request.back,
            "login_required",
            "nobody is signed in, or not as it is wanted",
        ),
    }
}

fn page(
    state: &State,
    request: &AuthorizationRequest,
    query: &str,
    problem: Option<&str>,
) -> Response {
    let asked = pages::Asked {
        client: &request.client.id,
        audience: &request.audience,
        scope: &request.scope,
        action: &format!("/authorize?{query}"),
        user_code: None,
    };
    pages::page(state, &asked, problem)
}

fn send_code(state: &State, request: AuthorizationRequest, session: &Session) -> Response {
    let now = state.now();
    let mut store = state.store();
    let grant = Grant {
        id: store.next_grant(),
        client: request.client.id.clone(),
        username: session.username.clone(),
        scope: request.scope,
        audience: request.audience,
        nonce: request.nonce,
        auth_time: session.auth_time,
        session: session.id.clone(),
        jkt: request.dpop_jkt,
        x5t: None,
        act: None,
        way: "authorization_code",
    };
    let code = store.add_code(
        grant,
        request.back.redirect_uri.clone(),
        request.challenge,
        now,
    );
    drop(store);
    redirect(state, &request.back, &[("code", &code)])
}

fn refuse(state: &State, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Page(message) => pages::error_page(message),
        Refusal::Back(back, error, description) => refuse_back(state, back, error, description),
    }
}

fn refuse_back(state: &State, back: &Back, error: &str, description: &str) -> Response {
    redirect(
        state,
        back,
        &[("error", error), ("error_description", description)],
    )
}

/// Sends the browser back, by GET whatever came (RFC 9700, section 4.12), naming the issuer (RFC
/// 9207).
fn redirect(state: &State, back: &Back, params: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(&back.redirect_uri) else {
        return pages::error_page("The redirect URI is not a URL.");
    };
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(params);
        if let Some(state) = &back.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", state.issuer.as_str());
    }
    (
        StatusCode::SEE_OTHER,
        [(LOCATION, url.as_str()), (CACHE_CONTROL, "no-store")],
    )
        .into_response()
}

/// Reads the query of a browser that the client sent.
pub(crate) fn read(state: &State, query: &str) -> Result<AuthorizationRequest, Refusal> {
    let params = Params::parse(query)
        .map_err(|_| Refusal::Page("A parameter of the request is repeated."))?;
    if let Some(uri) = params
        .find("request_uri")
        .filter(|uri| pushed::is_ours(uri))
    {
        let unknown =
            Refusal::Page("The pushed request is unknown, expired, used, or another client's.");
        let pushed = pushed::find(state, uri, params.find("client_id").unwrap_or_default())
            .ok_or(unknown)?;
        return Ok(AuthorizationRequest {
            pushed: Some(uri.to_owned()),
            ..judge(state, &pushed)?
        });
    }
    let request = judge(state, &params)?;
    if request.client.require_pushed_authorization_requests {
        let description = "the client must push its requests (RFC 9126)".to_owned();
        return Err(Refusal::Back(request.back, "invalid_request", description));
    }
    Ok(request)
}
