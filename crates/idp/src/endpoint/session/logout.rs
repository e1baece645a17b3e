//! Logging out: asked for by a client (OpenID Connect RP-Initiated Logout 1.0), and told to the
//! others (OpenID Connect Back-Channel Logout 1.0).
//!
//! An ID token shows that the client may ask, though it may have expired; without one the user is
//! asked. The browser goes on only to an address that the client registered. Every client of the
//! session that has a `backchannel_logout_uri` gets a logout token, once.

use crate::endpoint::client::mismatch::{Mismatch, RefusalReason};
use crate::endpoint::client::redirect_uri::is_among;
use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::http::error::printable;
use crate::endpoint::http::params::Params;
use crate::endpoint::session::{browser, pages};
use crate::issue::logout::{LogoutNotice, end};
use crate::state::IdpState;
use crate::token::issued::IssuedIdToken;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use url::Url;

/// `GET` and `POST /logout`.
pub(crate) async fn logout(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
    caller: RequestHead,
    body: String,
) -> Response {
    let (posted, query) = (caller.method == "POST", query.unwrap_or_default());
    let params = match Params::parse(if posted { &body } else { &query }) {
        Ok(params) => params,
        Err(error) => return pages::error_page(&state, &error.description.as_str().into()),
    };
    let request = match LogoutRequest::read(&state, &params) {
        Ok(request) => request,
        Err(reason) => return pages::error_page(&state, &reason),
    };
    let browser = browser::secret(&state, &caller.headers);
    let here = state.store().session_of_browser(browser, state.now());
    // Without a hint any page could sign the user out, so the user has to confirm.
    let confirmed = request.hint.is_some() || (posted && params.find("confirm").is_some());
    if here.is_some() && !confirmed {
        return confirm(&params);
    }
    let session = match (request.hint, here) {
        (Some(hint), _) => Some(hint.session),
        (None, Some(here)) => Some(here.id),
        (None, None) => None,
    };
    let notices = match session {
        Some(session) => end(&state, &session, &[]).await,
        None => Vec::new(),
    };
    let response = match request.back {
        Some(back) => (
            StatusCode::SEE_OTHER,
            [(LOCATION, back), (CACHE_CONTROL, "no-store".to_owned())],
        )
            .into_response(),
        None => pages::message_page("Signed out", &describe(&notices)),
    };
    browser::with_secret(&state, response, "")
}

/// Asks the user; the answer repeats the request, without the hint that was missing.
fn confirm(params: &Params) -> Response {
    let mut kept = Vec::new();
    for name in ["client_id", "post_logout_redirect_uri", "state"] {
        if let Some(value) = params.find(name) {
            kept.push((name, value));
        }
    }
    pages::confirm_page("Sign out", "Do you want to sign out?", "/logout", &kept)
}

/// What a client asks for.
struct LogoutRequest {
    hint: Option<IssuedIdToken>,
    /// Where the browser goes afterwards.
    back: Option<String>,
}

impl LogoutRequest {
    fn read(state: &IdpState, params: &Params) -> Result<Self, RefusalReason> {
        let mut client = params.find("client_id").map(str::to_owned);
        let mut hint = None;
        if let Some(token) = params.find("id_token_hint") {
            let Some(issued) = state.store().id_token(token, state.now()) else {
                return Err("`id_token_hint` is not an ID token of this provider.".into());
            };
            if client.is_some_and(|named| named != issued.client) {
                let client = printable(&issued.client);
                let told = format!("`client_id`: expected `{client}`, as in the ID token.");
                return Err(told.as_str().into());
            }
            client = Some(issued.client.clone());
            hint = Some(issued);
        }
        let Some(uri) = params.find("post_logout_redirect_uri") else {
            return Ok(Self { hint, back: None });
        };
        // Any other address would make this an open redirect.
        let id = client.unwrap_or_default();
        let member = "post_logout_redirect_uris";
        let Some(client) = state.client(&id) else {
            return Err(Mismatch::of_unknown_client(state, &id, (member, uri)).into());
        };
        let registered = (member, &client.post_logout_redirect_uris[..]);
        let parameter = "post_logout_redirect_uri";
        let mismatch = || Mismatch::of_client(&client, parameter, Some(uri), registered);
        if !client.danger_unchecked && !is_among(&client.post_logout_redirect_uris, uri) {
            return Err(mismatch().into());
        }
        let Ok(mut url) = Url::parse(uri) else {
            return Err(mismatch().into());
        };
        if let Some(state) = params.find("state") {
            url.query_pairs_mut().append_pair("state", state);
        }
        Ok(Self {
            hint,
            back: Some(url.into()),
        })
    }
}

fn describe(notices: &[LogoutNotice]) -> String {
    let mut text = "You are signed out.".to_owned();
    for notice in notices {
        let client = &notice.client;
        text.push_str(&match notice.status {
            Some(status) => format!(" {client} was notified, and answered {status}."),
            None => format!(" {client} could not be notified: no answer."),
        });
    }
    text
}
