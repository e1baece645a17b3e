//! Logging out: asked for by a client (OpenID Connect RP-Initiated Logout 1.0), and told to the
//! others (OpenID Connect Back-Channel Logout 1.0).
//!
//! An ID token shows that the client may ask, though it may have expired; without one the user is
//! asked. The browser goes on only to an address that the client registered. Every client of the
//! session that has a `backchannel_logout_uri` gets a logout token, once.

use crate::endpoint::client::redirect_uri::is_among;
use crate::endpoint::http::caller::Caller;
use crate::endpoint::http::params::Params;
use crate::endpoint::session::{browser, pages};
use crate::issue::logout::{LogoutNotice, end};
use crate::state::State;
use crate::token::issued::IssuedId;
use axum::extract;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use url::Url;

/// `GET` and `POST /logout`.
pub(crate) async fn logout(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    caller: Caller,
    body: String,
) -> Response {
    let (posted, query) = (caller.method == "POST", query.unwrap_or_default());
    let Ok(params) = Params::parse(if posted { &body } else { &query }) else {
        return pages::error_page("A parameter of the request is repeated.");
    };
    let asked = match Asked::read(&state, &params) {
        Ok(asked) => asked,
        Err(problem) => return pages::error_page(problem),
    };
    let here = state
        .store()
        .session_of_browser(browser::secret(&state, &caller.headers), state.now());
    let confirmed = asked.hint.is_some() || (posted && params.find("confirm").is_some());
    if here.is_some() && !confirmed {
        let named = ["client_id", "post_logout_redirect_uri", "state"];
        let kept: Vec<(&str, &str)> = named
            .into_iter()
            .filter_map(|name| Some((name, params.find(name)?)))
            .collect();
        return pages::confirm_page(
            "Sign out",
            "Do you want to sign out here?",
            "/logout",
            &kept,
        );
    }
    let session = asked
        .hint
        .map(|hint| hint.session)
        .or(here.map(|session| session.id));
    let notices = match session {
        Some(session) => end(&state, &session).await,
        None => Vec::new(),
    };
    let response = match asked.back {
        Some(back) => (
            StatusCode::SEE_OTHER,
            [(LOCATION, back), (CACHE_CONTROL, "no-store".to_owned())],
        )
            .into_response(),
        None => pages::message_page("Signed out", &told(&notices)),
    };
    browser::with_secret(&state, response, "")
}

/// What a client asks for.
struct Asked {
    hint: Option<IssuedId>,
    /// Where the browser goes afterwards.
    back: Option<String>,
}

impl Asked {
    fn read(state: &State, params: &Params) -> Result<Self, &'static str> {
        let hint = match params.find("id_token_hint") {
            Some(token) => {
                let known = state.store().id_token(token, state.now());
                Some(known.ok_or("`id_token_hint` is no ID token that was issued here.")?)
            }
            None => None,
        };
        let named = params.find("client_id");
        if hint
            .as_ref()
            .is_some_and(|hint| named.is_some_and(|named| named != hint.client))
        {
            return Err("`client_id` names another client than the ID token is for.");
        }
        let client = hint
            .as_ref()
            .map(|hint| hint.client.as_str())
            .or(named)
            .and_then(|id| state.client(id));
        let back = match params.find("post_logout_redirect_uri") {
            None => None,
            Some(uri) => {
                let registered = client.is_some_and(|client| {
                    client.danger_unchecked || is_among(&client.post_logout_redirect_uris, uri)
                });
                let mut url = Url::parse(uri).ok().filter(|_| registered);
                if let (Some(url), Some(state)) = (&mut url, params.find("state")) {
                    url.query_pairs_mut().append_pair("state", state);
                }
                Some(
                    url.ok_or("The address to go back to is not one that the client registered.")?
                        .into(),
                )
            }
        };
        Ok(Self { hint, back })
    }
}

fn told(notices: &[LogoutNotice]) -> String {
    let one = |notice: &LogoutNotice| match notice.status {
        Some(status) => format!(" {} was told, and answered {status}.", notice.client),
        None => format!(" {} could not be told: nobody answered.", notice.client),
    };
    format!(
        "You are signed out.{}",
        notices.iter().map(one).collect::<String>()
    )
}
