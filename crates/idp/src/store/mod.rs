//! What the provider remembers: grants, codes, refresh tokens, access tokens. In memory, bounded,
//! expiring.

pub(crate) mod device;
pub(crate) mod expiring;
pub(crate) mod journal;
pub(crate) mod registration;
pub(crate) mod session;
pub(crate) mod stream;

use crate::store::expiring::Expiring;
use crate::store::registration::Registration;
use crate::store::session::Session;
use crate::store::stream::Stream;
use crate::token::encoding::random_text;
use crate::token::issued::{IssuedAccess, IssuedId};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Everything that was issued and is not over yet.
#[derive(Default)]
pub(crate) struct Store {
    codes: Expiring<Code>,
    refresh_tokens: Expiring<RefreshToken>,
    access_tokens: Expiring<IssuedAccess>,
    id_tokens: Expiring<IssuedId>,
    sessions: Expiring<Session>,
    /// The session of each browser.
    browsers: Expiring<String>,
    /// What may be used once, and was: assertions, proofs.
    used: Expiring<()>,
    pushed: Expiring<Pushed>,
    devices: Expiring<device::DeviceRequest>,
    device_codes: Expiring<String>,
    streams: Vec<Stream>,
    registered: HashMap<String, Registration>,
    revoked_grants: HashSet<u64>,
    grants: u64,
}

/// What a user agreed to by signing in: codes and tokens that come of it end with it.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) id: u64,
    pub(crate) client: String,
    pub(crate) username: String,
    pub(crate) scope: String,
    pub(crate) audience: String,
    pub(crate) nonce: Option<String>,
    pub(crate) auth_time: u64,
    /// The same in all tokens that come of it: `sid`.
    pub(crate) session: String,
    /// The key to which a public client's refresh tokens are bound (RFC 9449, section 5): its
    /// thumbprint.
    pub(crate) jkt: Option<String>,
    /// The certificate to which they are bound (RFC 8705, section 4): its thumbprint.
    pub(crate) x5t: Option<String>,
    /// Who acts for the user (RFC 8693, section 4.1).
    pub(crate) act: Option<Value>,
    /// The grant that it began with, as `grant_type` names it.
    pub(crate) way: &'static str,
}

/// An authorization code that waits to be redeemed.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    used: bool,
}

/// What a client pushed before it sent the browser (RFC 9126).
#[derive(Clone)]
struct Pushed {
    client: String,
    /// Form-encoded.
    parameters: String,
}

#[derive(Clone)]
struct RefreshToken {
    grant: Grant,
    used: bool,
}

impl Store {
    pub(crate) fn next_grant(&mut self) -> u64 {
        self.grants += 1;
        self.grants
    }

    /// A code for this grant, good once and for a minute.
    pub(crate) fn add_code(
        &mut self,
        grant: Grant,
        redirect_uri: String,
        challenge: String,
        now: u64,
    ) -> String {
        let code = random_text(32);
        self.codes.insert(
            &code,
            Code {
                grant,
                redirect_uri,
                challenge,
                used: false,
            },
            now + 60,
            now,
        );
        code
    }

    /// Redeems a code. A second time ends everything that came of the first (RFC 6749, section
    /// 4.1.2).
    pub(crate) fn redeem(&mut self, code: &str, now: u64) -> Option<Code> {
        let found = self.codes.find(code, now)?;
        if found.used {
            let grant = found.grant.id;
            self.revoked_grants.insert(grant);
            return None;
        }
        found.used = true;
        Some(found.clone())
    }

    /// A refresh token for this grant.
    pub(crate) fn add_refresh_token(&mut self, grant: Grant, now: u64) -> String {
        const FOURTEEN_DAYS: u64 = 14 * 24 * 3_600;
        let token = random_text(32);
        self.refresh_tokens.insert(
            &token,
            RefreshToken { grant, used: false },
            now + FOURTEEN_DAYS,
            now,
        );
        token
    }

    /// The grant of a refresh token, without using it up.
    pub(crate) fn grant_of(&mut self, refresh_token: &str, now: u64) -> Option<Grant> {
        self.refresh_tokens
            .find(refresh_token, now)
            .map(|found| found.grant.clone())
    }

    /// Uses up a refresh token. A second use ends the whole family (RFC 9700, section 4.14.2).
    pub(crate) fn rotate(&mut self, refresh_token: &str, now: u64) -> Option<Grant> {
        let found = self.refresh_tokens.find(refresh_token, now)?;
        let (grant, used) = (found.grant.clone(), found.used);
        found.used = true;
        if used {
            self.revoked_grants.insert(grant.id);
        }
        (!self.revoked_grants.contains(&grant.id)).then_some(grant)
    }

    pub(crate) fn add_access_token(&mut self, token: &str, issued: IssuedAccess, now: u64) {
        let expires = issued.expires;
        self.access_tokens.insert(token, issued, expires, now);
    }

    /// An access token that is active: issued here, not expired, not revoked.
    pub(crate) fn access_token(&mut self, token: &str, now: u64) -> Option<IssuedAccess> {
        let found = self.access_tokens.find(token, now)?.clone();
        let revoked = found
            .grant
            .is_some_and(|grant| self.revoked_grants.contains(&grant));
        (!revoked).then_some(found)
    }

    /// Remembers what a client pushed.
    pub(crate) fn add_pushed(
        &mut self,
        uri: &str,
        client: &str,
        parameters: String,
        life: u64,
        now: u64,
    ) {
        let pushed = Pushed {
            client: client.to_owned(),
            parameters,
        };
        self.pushed.insert(uri, pushed, now + life, now);
    }

    /// What this client pushed under that address, without using it up: a page may be loaded again.
    pub(crate) fn pushed(&mut self, uri: &str, client: &str, now: u64) -> Option<String> {
        let found = self
            .pushed
            .find(uri, now)
            .filter(|pushed| pushed.client == client);
        found.map(|pushed| pushed.parameters.clone())
    }

    /// Uses it up (RFC 9126, section 7.3). Tells whether it was still there.
    pub(crate) fn use_pushed(&mut self, uri: &str) -> bool {
        self.pushed.remove(uri).is_some()
    }

    /// Whether this is used for the first time.
    pub(crate) fn is_first_use(&mut self, name: &str, expires: u64, now: u64) -> bool {
        let first = self.used.find(name, now).is_none();
        if first {
            self.used.insert(name, (), expires, now);
        }
        first
    }

    pub(crate) fn revoke_grant(&mut self, grant: u64) {
        self.revoked_grants.insert(grant);
    }

    pub(crate) fn revoke_access_token(&mut self, token: &str) {
        self.access_tokens.remove(token);
    }
}
