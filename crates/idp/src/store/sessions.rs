//! Who is signed in, in which browser, and which clients have tokens of it.

use crate::store::session::Session;
use crate::store::validity::BY_LOGOUT;
use crate::store::{Store, UserGrant};
use crate::token::encoding::random_text;
use crate::token::issued::IssuedIdToken;

const LIFE: u64 = 14 * 24 * 3_600;

impl Store {
    /// Begins a session, or continues the browser's if the same user signs in again. Returns the
    /// session and a new secret for the browser.
    pub(crate) fn sign_in(&mut self, browser: &str, username: &str, now: u64) -> (Session, String) {
        let session = match self.session_of_browser(browser, now) {
            // One session for both sign-ins, so that a logout reaches the earlier clients too.
            Some(before) if before.username == username => Session {
                auth_time: now,
                ..before
            },
            _ => Session {
                id: random_text(16),
                username: username.to_owned(),
                auth_time: now,
                clients: Vec::new(),
                grants: Vec::new(),
            },
        };
        // A new secret at every sign-in, so that one planted before it is worth nothing.
        let browser = random_text(32);
        let until = now + LIFE;
        self.sessions
            .insert(&session.id, session.clone(), until, now);
        self.browsers
            .insert(&browser, session.id.clone(), until, now);
        (session, browser)
    }

    /// The session of the browser that holds this secret.
    pub(crate) fn session_of_browser(&mut self, browser: &str, now: u64) -> Option<Session> {
        let id = self.browsers.find(browser, now)?.clone();
        self.sessions.find(&id, now).cloned()
    }

    /// Adds a client to the session of its grant. A device or an exchange begins one that way.
    pub(crate) fn join_session(&mut self, grant: &UserGrant, now: u64) {
        // Tokens of devices and exchanges have a session that no browser began.
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

    /// Ends a session and revokes its grants.
    pub(crate) fn end_session(&mut self, id: &str) -> Option<Session> {
        let session = self.sessions.remove(id)?;
        // Access tokens of the session become inactive with their grants.
        for grant in &session.grants {
            self.revoke_grant(*grant, BY_LOGOUT);
        }
        Some(session)
    }

    /// The sessions of a user.
    pub(crate) fn sessions_of(&self, username: &str) -> Vec<String> {
        let mut ids = Vec::new();
        for session in self.sessions.newest_first() {
            if session.username == username {
                ids.push(session.id.clone());
            }
        }
        ids
    }

    /// Remembers an ID token past its end: an expired one is good as a hint for logging out.
    pub(crate) fn add_id_token(&mut self, token: &str, issued: IssuedIdToken, now: u64) {
        // As long as a session lasts, not as long as the token.
        self.id_tokens.insert(token, issued, now + LIFE, now);
    }

    /// An ID token that was issued here; it may have expired.
    pub(crate) fn id_token(&mut self, token: &str, now: u64) -> Option<IssuedIdToken> {
        self.id_tokens.find(token, now).cloned()
    }

    /// An ID token that has not expired and whose grant was not revoked.
    pub(crate) fn good_id_token(&mut self, token: &str, now: u64) -> Option<IssuedIdToken> {
        let issued = self.id_token(token, now)?;
        let over = now >= issued.expires || self.revoked_grants.contains_key(&issued.grant);
        (!over).then_some(issued)
    }
}
