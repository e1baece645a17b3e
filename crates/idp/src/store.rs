//! What the provider remembers: grants, codes, refresh tokens, access tokens. In memory, bounded, expiring.

use crate::dialect::Claims;
use crate::keys::{encoded, random_text};
use aws_lc_rs::digest;
use std::collections::{HashMap, HashSet, VecDeque};

/// Everything that was issued and is not over yet.
#[derive(Default)]
pub(crate) struct Store {
    codes: Expiring<Code>,
    refresh_tokens: Expiring<RefreshToken>,
    access_tokens: Expiring<IssuedAccess>,
    assertions: Expiring<()>,
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
}

/// An authorization code that waits to be redeemed.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    used: bool,
}

#[derive(Clone)]
struct RefreshToken {
    grant: Grant,
    used: bool,
}

/// An access token that was issued.
#[derive(Clone)]
pub(crate) struct IssuedAccess {
    /// What a JWT in its place would say, or says.
    pub(crate) claims: Claims,
    pub(crate) client: String,
    pub(crate) audience: String,
    pub(crate) scope: Option<String>,
    /// The user; none where the client acts for itself.
    pub(crate) username: Option<String>,
    pub(crate) grant: Option<u64>,
    pub(crate) expires: u64,
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
        self.codes.insert(&code, Code { grant, redirect_uri, challenge, used: false }, now + 60, now);
        code
    }

    /// Redeems a code. A second time ends everything that came of the first (RFC 6749, section 4.1.2).
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
        self.refresh_tokens.insert(&token, RefreshToken { grant, used: false }, now + FOURTEEN_DAYS, now);
        token
    }

    /// The grant of a refresh token, without using it up.
    pub(crate) fn grant_of(&mut self, refresh_token: &str, now: u64) -> Option<Grant> {
        self.refresh_tokens.find(refresh_token, now).map(|found| found.grant.clone())
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
        let revoked = found.grant.is_some_and(|grant| self.revoked_grants.contains(&grant));
        (!revoked).then_some(found)
    }

    /// Whether a client's assertion of that name is the first one (RFC 7523, section 3).
    pub(crate) fn is_first_use(&mut self, client: &str, jti: &str, expires: u64, now: u64) -> bool {
        let name = format!("{client} {jti}");
        let first = self.assertions.find(&name, now).is_none();
        self.assertions.insert(&name, (), expires, now);
        first
    }

    pub(crate) fn revoke_grant(&mut self, grant: u64) {
        self.revoked_grants.insert(grant);
    }

    pub(crate) fn revoke_access_token(&mut self, token: &str) {
        self.access_tokens.remove(token);
    }
}

/// Values under the digest of a secret; the expired and the oldest make room.
struct Expiring<V> {
    values: HashMap<String, (u64, V)>,
    order: VecDeque<String>,
}

impl<V> Default for Expiring<V> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: VecDeque::new() }
    }
}

impl<V> Expiring<V> {
    const MOST: usize = 100_000;

    fn insert(&mut self, secret: &str, value: V, expires: u64, now: u64) {
        let key = key(secret);
        self.values.insert(key.clone(), (expires, value));
        self.order.push_back(key);
        while let Some(oldest) = self.order.front() {
            let over = self.values.get(oldest).is_none_or(|(expires, _)| *expires <= now);
            if !over && self.order.len() <= Self::MOST {
                break;
            }
            self.values.remove(oldest);
            self.order.pop_front();
        }
    }

    fn find(&mut self, secret: &str, now: u64) -> Option<&mut V> {
        self.values.get_mut(&key(secret)).filter(|(expires, _)| now < *expires).map(|(_, value)| value)
    }

    fn remove(&mut self, secret: &str) {
        self.values.remove(&key(secret));
    }
}

fn key(secret: &str) -> String {
    encoded(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
}
