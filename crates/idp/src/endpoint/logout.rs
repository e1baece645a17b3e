//! Logging out: asked for by a client (OpenID Connect RP-Initiated Logout 1.0), and told to the
//! others (OpenID Connect Back-Channel Logout 1.0).
//!
//! An ID token shows that the client may ask, though it may have expired; without one the user is
//! asked. The browser goes on only to an address that the client registered. Every client of the
//! session that has a `backchannel_logout_uri` gets a logout token, once.

use super::browser;
use super::caller::Caller;
use super::login;
use super::params::Params;
use super::request::is_among;
use crate::dialect::claims;
use crate::events::{self, SecurityEvent};
use crate::facts::Facts;
use crate::keys::random_text;
use crate::outbound::Message;
use crate::state::State;
use crate::store::{IssuedId, Session};
use axum::extract::{self, RawQuery};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;
use url::Url;

/// That a client was told of a logout, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutNotice {
    /// The client.
    pub client: String,
    /// Where the logout token was sent.
    pub uri: String,
    /// What was answered; none where nothing was in five seconds.
    pub status: Option<u16>,
}

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
const LOGOUT_TOKEN_LIFE: u64 = 120;

/// `GET` and `POST /logout`.
pub(super) async fn logout(
    extract::State(state): extract::State<Arc<State>>,
    RawQuery(query): RawQuery,
    caller: Caller,
    body: String,
) -> Response {
    let (posted, query) = (caller.method == "POST", query.unwrap_or_default());
    let Ok(params) = Params::parse(if posted { &body } else { &query }) else {
        return login::error_page("A parameter of the request is repeated.");
    };
    let asked = match Asked::read(&state, &params) {
        Ok(asked) => asked,
        Err(problem) => return login::error_page(problem),
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
        return login::confirm_page(
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
        None => login::message_page("Signed out", &told(&notices)),
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

/// Ends a session, and tells its clients.
pub(crate) async fn end(state: &Arc<State>, session: &str) -> Vec<LogoutNotice> {
    let Some(session) = state.store().end_session(session) else {
        return Vec::new();
    };
    let mut sending = JoinSet::new();
    for id in &session.clients {
        let uri = state
            .client(id)
            .and_then(|client| client.backchannel_logout_uri.clone());
        let Some((uri, token)) =
            uri.and_then(|uri| Some((uri, logout_token(state, &session, id)?)))
        else {
            continue;
        };
        let (state, client) = (Arc::clone(state), id.clone());
        sending.spawn(async move {
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair("logout_token", &token)
                .finish();
            let content_type = "application/x-www-form-urlencoded";
            let message = Message {
                url: &uri,
                content_type,
                authorization: None,
                body,
            };
            let status = state.outbound.post(message).await;
            LogoutNotice {
                client,
                uri,
                status,
            }
        });
    }
    let mut notices = sending.join_all().await;
    let (told, username) = (Arc::clone(state), session.username.clone());
    tokio::spawn(async move {
        events::send(
            &told,
            &username,
            Some(&session.id),
            &SecurityEvent::SessionRevoked,
        )
        .await;
    });
    notices.sort_by(|one, other| one.client.cmp(&other.client));
    notices
}

/// Ends every session of a user.
pub(crate) async fn end_all(state: &Arc<State>, username: &str) -> Vec<LogoutNotice> {
    let sessions = state.store().sessions_of(username);
    let mut notices = Vec::new();
    for session in sessions {
        notices.extend(end(state, &session).await);
    }
    notices
}

/// Back-Channel Logout, section 2.4.
fn logout_token(state: &State, session: &Session, client: &str) -> Option<String> {
    let user = state.user(&session.username)?;
    let identity = state.shape.id_token(&Facts::of_user(state, user, client));
    let (key, now) = (state.keys.signing_id_tokens(), state.now());
    let header = json!({ "typ": "logout+jwt", "alg": key.algorithm.name(), "kid": key.kid });
    let told = json!({
        "iss": identity.get("iss"),
        "sub": identity.get("sub"),
        "aud": client,
        "iat": now,
        "exp": now + LOGOUT_TOKEN_LIFE,
        "jti": random_text(16),
        "sid": session.id,
        "events": { LOGOUT: {} },
    });
    Some(key.jws(&claims(header), &claims(told)))
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
