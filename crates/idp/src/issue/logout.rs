//! Ends sessions, and tells their clients (OpenID Connect Back-Channel Logout 1.0).

use crate::fault::flaw::Flaw;
use crate::issue::event::EventBuilder;
use crate::issue::logout_token::LogoutTokenBuilder;
use crate::issue::security_event::SecurityEvent;
use crate::issue::subject::EventSubject;
use crate::state::IdpState;
use crate::state::outbound::OutboundMessage;
use crate::store::session::Session;
use serde_json::Value;
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
    /// `error` of an answer that is not good (section 2.8), if it has one.
    pub error: Option<String>,
}

/// Ends a session, and notifies its clients by tokens with these flaws.
pub(crate) async fn end(state: &Arc<IdpState>, session: &str, flaws: &[Flaw]) -> Vec<LogoutNotice> {
    let Some(session) = state.store().end_session(session) else {
        return Vec::new();
    };
    let mut sending = JoinSet::new();
    for id in &session.clients {
        let uri = state
            .client(id)
            .and_then(|client| client.backchannel_logout_uri.clone());
        let Some((uri, token)) =
            uri.and_then(|uri| Some((uri, logout_token(state, &session, id, flaws)?)))
        else {
            continue;
        };
        // All at once: one slow client must not delay the others.
        sending.spawn(notify(Arc::clone(state), id.clone(), uri, token));
    }
    let mut notices = sending.join_all().await;
    let revoked = EventBuilder::new(state, &session.username, SecurityEvent::SessionRevoked)
        .subject(EventSubject::Complex {
            session: Some(session.id.clone()),
            device: None,
        });
    // In the background: receivers of events are not part of the logout.
    tokio::spawn(async move { revoked.send().await });
    // They arrive in any order; tests and pages want a stable one.
    notices.sort_by(|one, other| one.client.cmp(&other.client));
    notices
}

/// Ends every session of a user.
pub(crate) async fn end_all(
    state: &Arc<IdpState>,
    username: &str,
    flaws: &[Flaw],
) -> Vec<LogoutNotice> {
    let sessions = state.store().sessions_of(username);
    let mut notices = Vec::new();
    for session in sessions {
        notices.extend(end(state, &session, flaws).await);
    }
    notices
}

fn logout_token(
    state: &Arc<IdpState>,
    session: &Session,
    client: &str,
    flaws: &[Flaw],
) -> Option<String> {
    let user = state.user(&session.username)?;
    let token = LogoutTokenBuilder::new(state, user, client).session(&session.id);
    let token = flaws
        .iter()
        .cloned()
        .fold(token, LogoutTokenBuilder::flaw);
    Some(token.sign())
}

async fn notify(state: Arc<IdpState>, client: String, uri: String, token: String) -> LogoutNotice {
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
    let answer = state.outbound.post(message).await;
    let error = answer.as_ref().and_then(|answer| {
        let told: Value = serde_json::from_str(&answer.body).ok()?;
        Some(told.get("error")?.as_str()?.to_owned())
    });
    LogoutNotice {
        client,
        uri,
        status: answer.map(|answer| answer.status),
        error,
    }
}
