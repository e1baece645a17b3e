//! The authorization endpoint (RFC 6749, section 3.1): a user signs in, and the browser goes back
//! with a code.
//!
//! An error goes to the client only if the client and its redirect URI are known; else it is shown
//! on a page.

use crate::config::user::User;
use crate::endpoint::authorize::answer::ReturnAddress;
use crate::endpoint::authorize::pushed;
use crate::endpoint::authorize::request::{AuthorizationRefusal, CodeRequest, judge};
use crate::endpoint::http::caller::{PostedForm, RequestHead};
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::endpoint::session::{browser, pages};
use crate::state::IdpState;
use crate::store::UserGrant;
use crate::store::session::Session;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

/// What the pages say about a wrong name or password: not which of the two it was.
pub(crate) const WRONG_PASSWORD: &str = "Wrong username or password";

pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
    caller: RequestHead,
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
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match read(&state, &query) {
        Ok(request) => request,
        Err(refusal) => return refuse(&state, &refusal),
    };
    let Ok(form) = form else {
        return page(
            &state,
            &request,
            &query,
            Some(("The form could not be read.", None)),
        );
    };
    let user = match form.params.find("cancel") {
        Some(_) => None,
        None => match user_of(&state, &form.params) {
            Some(user) => Some(user),
            None => {
                let typed = form.params.find("username");
                return page(&state, &request, &query, Some((WRONG_PASSWORD, typed)));
            }
        },
    };
    // Only now: a wrong password must not use the request up.
    if let Some(uri) = &request.pushed
        && !state.store().use_pushed(uri)
    {
        return pages::error_page(&state, &"This pushed request was already used.".into());
    }
    let Some(user) = user else {
        let why = "the user did not sign in";
        return refuse_back(&state, &request.back, "access_denied", why);
    };
    let before = browser::secret(&state, &form.caller.headers);
    let (session, secret) = state
        .store()
        .sign_in(before, &user.username, state.now());
    browser::with_secret(&state, send_code(&state, request, &session), &secret)
}

/// The user whose name and password a form has, or whose button was pressed.
pub(crate) fn user_of(state: &IdpState, form: &Params) -> Option<Arc<User>> {
    // The console shows every password, so the buttons beside it need none.
    if let Some(name) = form.find("as").filter(|_| state.config.console) {
        return state.user(name);
    }
    let user = state.user(form.find("username")?)?;
    let password = form.find("password").unwrap_or_default();
    user.password.is(password).then_some(user)
}

/// Answers `prompt=none`: a code for the user of this browser's session, or an error.
fn without_a_page(state: &IdpState, request: CodeRequest, caller: &RequestHead) -> Response {
    let now = state.now();
    let browser = browser::secret(state, &caller.headers);
    let session = state.store().session_of_browser(browser, now);
    let session = session.filter(|session| is_as_wanted(state, session, &request));
    let refused = || {
        let why = "nobody is signed in, or not as the request demands";
        refuse_back(state, &request.back, "login_required", why)
    };
    let Some(session) = session else {
        return refused();
    };
    if let Some(uri) = &request.pushed
        && !state.store().use_pushed(uri)
    {
        return refused();
    }
    send_code(state, request, &session)
}

/// Whether the session is new enough (`max_age`), and of the expected user (`id_token_hint`).
fn is_as_wanted(state: &IdpState, session: &Session, request: &CodeRequest) -> bool {
    let now = state.now();
    if let Some(age) = request.max_age
        && now.saturating_sub(session.auth_time) > age
    {
        return false;
    }
    let Some(hint) = &request.hint else {
        return true;
    };
    match state.store().id_token(hint, now) {
        Some(hint) => hint.username == session.username,
        None => false,
    }
}

/// The page; after a problem, with the name that was typed.
fn page(
    state: &IdpState,
    request: &CodeRequest,
    query: &str,
    problem: Option<(&str, Option<&str>)>,
) -> Response {
    let asked = pages::ConsentRequest {
        client: &request.client.id,
        audience: &request.audience,
        scope: &request.scope,
        action: &format!("/authorize?{query}"),
        user_code: None,
        username: problem.and_then(|(_, username)| username),
    };
    pages::page(state, &asked, problem.map(|(problem, _)| problem))
}

fn send_code(state: &IdpState, request: CodeRequest, session: &Session) -> Response {
    let now = state.now();
    let mut store = state.store();
    let grant = UserGrant {
        id: store.next_grant(),
        client: request.client.id.clone(),
        username: session.username.clone(),
        scope: request.scope,
        audience: request.audience,
        nonce: request.nonce,
        auth_time: session.auth_time,
        // Taken at its word: a password is whatever the client wants it to be here.
        acr: request.acr,
        session: session.id.clone(),
        // A stolen code is worth nothing without this key (RFC 9449, section 10).
        jkt: request.dpop_jkt,
        x5t: None,
        act: None,
        offline: request.offline,
        way: "authorization_code",
    };
    let code = store.add_code(
        grant,
        request.back.redirect_uri.clone(),
        request.challenge,
        (state.config.authorization_code_lifetime, now),
    );
    drop(store);
    request.back.send(state, &[("code", &code)])
}

fn refuse(state: &IdpState, refusal: &AuthorizationRefusal) -> Response {
    match refusal {
        AuthorizationRefusal::Page(reason) => pages::error_page(state, reason),
        AuthorizationRefusal::Back(back, error, description) => {
            refuse_back(state, back, error, description)
        }
    }
}

fn refuse_back(state: &IdpState, back: &ReturnAddress, error: &str, description: &str) -> Response {
    back.send(
        state,
        &[("error", error), ("error_description", description)],
    )
}

/// Reads the query of a browser that the client sent.
pub(crate) fn read(state: &IdpState, query: &str) -> Result<CodeRequest, AuthorizationRefusal> {
    // The repeated parameter may be the redirect URI, so the browser cannot be sent back.
    let params = Params::parse(query)
        .map_err(|error| AuthorizationRefusal::Page(error.description.as_str().into()))?;
    if let Some(uri) = params.find("request_uri")
        && pushed::is_ours(uri)
    {
        let client = params.find("client_id").unwrap_or_default();
        let Some(pushed) = pushed::find(state, uri, client) else {
            let problem = "The pushed request is unknown, expired, used, or another client's.";
            return Err(AuthorizationRefusal::Page(problem.into()));
        };
        // What stands beside `request_uri` in the query does not count.
        return Ok(CodeRequest {
            pushed: Some(uri.to_owned()),
            ..judge(state, &pushed)?
        });
    }
    let request = judge(state, &params)?;
    if request.client.require_pushed_authorization_requests {
        let description = "the client must push its requests (RFC 9126)".to_owned();
        return Err(AuthorizationRefusal::Back(
            request.back,
            "invalid_request",
            description,
        ));
    }
    Ok(request)
}
