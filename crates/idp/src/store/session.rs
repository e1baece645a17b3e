//! Who is signed in, in which browser, and which clients have tokens of it.

use crate::store::{Grant, Store};
use crate::token::encoding::random_text;
use crate::token::issued::IssuedId;

/// A user's signing in: ends by logging out, or after 14 days.
#[derive(Clone)]
pub(crate) struct Session {
    /// `sid` in tokens.
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) auth_time: u64,
    /// The clients that have tokens of it.
    pub(crate) clients: Vec<String>,
    grants: Vec<u64>,
}

const LIFE: u64 = 14 * 24 * 3_600;

impl Store {
    /// Begins a session, or goes on with the browser's if the same user signs in again. Answers
    /// with it, and with a secret for the browser.
    pub(crate) fn sign_in(&mut self, browser: &str, username: &str, now: u64) -> (Session, String) {
        let before = self
            .session_of_browser(browser, now)
            .filter(|session| session.username == username);
        let new = || Session {
            id: random_text(16),
            username: username.to_owned(),
            auth_time: now,
            clients: Vec::new(),
            grants: Vec::new(),
        };
        let session = Session {
            auth_time: now,
            ..before.unwrap_or_else(new)
        };
        let browser = random_text(32);
        self.sessions
            .insert(&session.id, session.clone(), now + LIFE, now);
        self.browsers
            .insert(&browser, session.id.clone(), now + LIFE, now);
        (session, browser)
    }

    /// The session of the browser that holds this secret.
    pub(crate) fn session_of_browser(&mut self, browser: &str, now: u64) -> Option<Session> {
        let id = self.browsers.find(browser, now)?.clone();
        self.sessions.find(&id, now).cloned()
    }

    /// Notes that a client gets tokens of a session, which may begin with that.
    pub(crate) fn join_session(&mut self, grant: &Grant, now: u64) {
        if self.sessions.find(&grant.session, now).is_none() {
            let session = Session {
                id: grant.session.clone(),
                username: grant.username.clone(),
                auth_time: grant.auth_time,
                clients: Vec::new(),
                grants: Vec::new(),
            };
            self.sessions
                .insert(&grant.session, session, now + LIFE, now);
        }
        if let Some(session) = self.sessions.find(&grant.session, now) {
            if !session.clients.contains(&grant.client) {
                session.clients.push(grant.client.clone());
            }
            if !session.grants.contains(&grant.id) {
                session.grants.push(grant.id);
            }
        }
    }

    /// Ends a session and all that came of it.
    pub(crate) fn end_session(&mut self, id: &str) -> Option<Session> {
        let session = self.sessions.remove(id)?;
        self.revoked_grants.extend(&session.grants);
        Some(session)
    }

    /// The sessions of a user.
    pub(crate) fn sessions_of(&self, username: &str) -> Vec<String> {
        let theirs = self
            .sessions
            .newest_first()
            .filter(|session| session.username == username);
        theirs.map(|session| session.id.clone()).collect()
    }

    /// An ID token may be shown again long after it expired: to log out.
    pub(crate) fn add_id_token(&mut self, token: &str, issued: IssuedId, now: u64) {
        self.id_tokens.insert(token, issued, now + LIFE, now);
    }

    /// An ID token of ours, though it may have expired.
    pub(crate) fn id_token(&mut self, token: &str, now: u64) -> Option<IssuedId> {
        self.id_tokens.find(token, now).cloned()
    }

    /// An ID token that still tells who somebody is: it has not expired, and nothing ended it.
    pub(crate) fn good_id_token(&mut self, token: &str, now: u64) -> Option<IssuedId> {
        let found = self
            .id_token(token, now)
            .filter(|issued| now < issued.expires)?;
        (!self.revoked_grants.contains(&found.grant)).then_some(found)
    }
}
