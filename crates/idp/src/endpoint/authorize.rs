//! The authorization endpoint (RFC 6749, section 3.1): code only, PKCE with S256 required (RFC 7636).
//!
//! Errors go to the client only when the client and its redirect URI are right; else a page tells them.

use super::login;
use super::params::Params;
use crate::config::Client;
use crate::keys::random_text;
use crate::state::State;
use crate::store::Grant;
use axum::extract;
use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use url::Url;

/// A request that may be answered by sending the browser back to the client.
pub(super) struct AuthorizationRequest<'s> {
    pub(super) client: &'s Client,
    pub(super) scope: String,
    pub(super) audience: String,
    redirect_uri: String,
    challenge: String,
    state: Option<String>,
    nonce: Option<String>,
}

/// Where to send an answer, once client and redirect URI are known to be right.
struct Back {
    redirect_uri: String,
    state: Option<String>,
}

enum Refusal {
    /// Told on a page: there is nobody to send it to.
    Page(&'static str),
    /// Sent back to the client.
    Back(Back, &'static str, String),
}

pub(super) async fn show(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    match read(&state, &query) {
        Ok(request) => login::page(&state, &request, &query, None),
        Err(refusal) => refuse(&state, refusal),
    }
}

pub(super) async fn sign_in(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match read(&state, &query) {
        Ok(request) => request,
        Err(refusal) => return refuse(&state, refusal),
    };
    let Ok(form) = Params::of_form(&headers, &body) else {
        return login::page(&state, &request, &query, Some("The form could not be read."));
    };
    let (username, password) =
        (form.find("username").unwrap_or_default(), form.find("password").unwrap_or_default());
    let known = state.user(username).filter(|user| user.password.is(password));
    if form.find("cancel").is_some() {
        let back = Back { redirect_uri: request.redirect_uri, state: request.state };
        return refuse(&state, Refusal::Back(back, "access_denied", "the user did not sign in".to_owned()));
    }
    match known {
        Some(user) => send_code(&state, request, &user.username),
        None => {
            login::page(&state, &request, &query, Some("This username and password do not belong together."))
        }
    }
}

fn send_code(state: &State, request: AuthorizationRequest<'_>, username: &str) -> Response {
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
    };
    let code = store.add_code(grant, request.redirect_uri.clone(), request.challenge, now);
    drop(store);
    let back = Back { redirect_uri: request.redirect_uri, state: request.state };
    redirect(state, &back, &[("code", &code)])
}

fn read<'s>(state: &'s State, query: &str) -> Result<AuthorizationRequest<'s>, Refusal> {
    let params =
        Params::parse(query).map_err(|_| Refusal::Page("A parameter of the request is repeated."))?;
    let client = params.find("client_id").and_then(|id| state.client(id));
    let client =
        client.ok_or(Refusal::Page("The client is unknown: `client_id` names none that is configured."))?;
    let redirect_uri = params.find("redirect_uri").filter(|uri| is_registered(client, uri));
    let redirect_uri =
        redirect_uri.ok_or(Refusal::Page("The redirect URI is not one that the client registered."))?;
    let back =
        || Back { redirect_uri: redirect_uri.to_owned(), state: params.find("state").map(str::to_owned) };
    let refuse = |error, description: &str| Refusal::Back(back(), error, description.to_owned());
    match params.find("response_type") {
        Some("code") => {}
        Some(_) => return Err(refuse("unsupported_response_type", "`response_type` must be `code`")),
        None => return Err(refuse("invalid_request", "`response_type` is missing")),
    }
    if params.find("request").is_some() || params.find("request_uri").is_some() {
        return Err(refuse("request_not_supported", "request objects are not supported"));
    }
    let challenge = params.find("code_challenge").filter(|challenge| challenge.len() == 43);
    if params.find("code_challenge_method") != Some("S256") || challenge.is_none() {
        return Err(refuse("invalid_request", "PKCE with `code_challenge_method=S256` is required"));
    }
    if params.find("prompt") == Some("none") {
        return Err(refuse("login_required", "nobody is signed in"));
    }
    let openid = ["openid", "profile", "email", "offline_access"];
    Ok(AuthorizationRequest {
        client,
        scope: params
            .scope(state, client, &openid)
            .map_err(|error| refuse(error.error, &error.description))?,
        audience: params.audience(state, client).map_err(|error| refuse(error.error, &error.description))?,
        redirect_uri: redirect_uri.to_owned(),
        challenge: challenge.unwrap_or_default().to_owned(),
        state: params.find("state").map(str::to_owned),
        nonce: params.find("nonce").map(str::to_owned),
    })
}

/// Character by character (RFC 9700, section 2.1), but for the port on loopback (RFC 8252, section 7.3).
fn is_registered(client: &Client, uri: &str) -> bool {
    client.redirect_uris.iter().any(|registered| registered == uri || same_but_for_the_port(registered, uri))
}

fn same_but_for_the_port(registered: &str, uri: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]", "http://localhost"].iter().any(|origin| {
        let path = |text: &str| {
            let rest = text.strip_prefix(origin)?;
            let after_port = match rest.strip_prefix(':') {
                None => rest,
                Some(port) => {
                    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
                    let (number, after) = port.split_at_checked(digits)?;
                    number.parse::<u16>().ok().map(|_| after)?
                }
            };
            after_port.starts_with('/').then(|| after_port.to_owned())
        };
        path(registered).is_some_and(|registered| path(uri) == Some(registered))
    })
}

fn refuse(state: &State, refusal: Refusal) -> Response {
    match refusal {
        Refusal::Page(message) => login::error_page(message),
        Refusal::Back(back, error, description) => {
            redirect(state, &back, &[("error", error), ("error_description", &description)])
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_is_free_and_only_on_loopback() {
        let same = same_but_for_the_port;
        assert!(same("http://127.0.0.1/callback", "http://127.0.0.1:4711/callback"));
        assert!(same("http://localhost:1/callback", "http://localhost/callback"));
        for uri in [
            "http://127.0.0.1:4711/callback/x",
            "http://127.0.0.1:4711/callback?x",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:99999/callback",
            "http://localhost:4711/callback",
            "https://127.0.0.1:4711/callback",
        ] {
            assert!(!same("http://127.0.0.1/callback", uri), "{uri}");
        }
        assert!(!same("http://app.example/callback", "http://app.example:81/callback"));
    }
}
