//! Ends sessions, and tells their clients (OpenID Connect Back-Channel Logout 1.0).

use crate::dialect::facts::TokenFacts;
use crate::issue::event;
use crate::issue::event::SecurityEvent;
use crate::state::IdpState;
use crate::state::outbound::OutboundMessage;
use crate::store::session::Session;
use crate::token::claims::claims;
use crate::token::encoding::random_text;
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The notification of a client about a logout, and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutNotice {
    /// The client.
    pub client: String,
    /// The address that got the logout token.
    pub uri: String,
    /// The status of the answer; `None` without one within five seconds.
    pub status: Option<u16>,
}

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

const LOGOUT_TOKEN_LIFE: u64 = 120;

/// Ends a session, and notifies its clients.
pub(crate) async fn end(state: &Arc<IdpState>, session: &str) -> Vec<LogoutNotice> {
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
        // All at once: one slow client must not delay the others.
        sending.spawn(async move {
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair("logout_token", &token)
                .finish();
            let content_type = "application/x-www-form-urlencoded";
            let message = OutboundMessage {
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
    // In the background: receivers of events are not part of the logout.
    tokio::spawn(async move {
        event::send(
            &told,
            &username,
            Some(&session.id),
            &SecurityEvent::SessionRevoked,
        )
        .await;
    });
    // They arrive in any order; tests and pages want a stable one.
    notices.sort_by(|one, other| one.client.cmp(&other.client));
    notices
}

/// Ends every session of a user.
pub(crate) async fn end_all(state: &Arc<IdpState>, username: &str) -> Vec<LogoutNotice> {
    let sessions = state.store().sessions_of(username);
    let mut notices = Vec::new();
    for session in sessions {
        notices.extend(end(state, &session).await);
    }
    notices
}

/// Back-Channel Logout, section 2.4.
fn logout_token(state: &IdpState, session: &Session, client: &str) -> Option<String> {
    let user = state.user(&session.username)?;
    let identity = state
        .shape
        .id_token(&TokenFacts::of_user(state, user, client));
    let (key, now) = (state.keys.signing_id_tokens(), state.now());
    // The type and the missing nonce keep it from being taken for an ID token (section 2.4).
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
