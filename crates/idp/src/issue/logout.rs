//! Ends sessions, and tells their clients (OpenID Connect Back-Channel Logout 1.0).

use crate::dialect::facts::Facts;
use crate::issue::event;
use crate::issue::event::SecurityEvent;
use crate::state::State;
use crate::state::outbound::Message;
use crate::store::session::Session;
use crate::token::claims::claims;
use crate::token::encoding::random_text;
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

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
        event::send(
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
