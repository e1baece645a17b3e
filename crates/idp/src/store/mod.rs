//! The provider's memory: grants, codes, tokens, sessions. Bounded and expiring, and lost at the
//! end.

pub(crate) mod device;
pub(crate) mod devices;
pub(crate) mod expiring;
pub(crate) mod journal;
pub(crate) mod notice;
pub(crate) mod redemption;
pub(crate) mod registration;
pub(crate) mod registrations;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod streams;
pub(crate) mod trials;
pub(crate) mod validity;

use crate::store::expiring::ExpiringMap;
use crate::store::notice::Notices;
use crate::store::registration::Registration;
use crate::store::session::Session;
use crate::store::stream::EventStream;
use crate::store::validity::Validity;
use crate::token::issued::{IssuedAccessToken, IssuedIdToken};
use crate::token::kind::FlowToken;
use serde_json::Value;
use std::collections::HashMap;

/// Everything that was issued and has not expired.
#[derive(Default)]
pub(crate) struct Store {
    codes: ExpiringMap<AuthorizationCode>,
    refresh_tokens: ExpiringMap<StoredRefreshToken>,
    access_tokens: ExpiringMap<IssuedAccessToken>,
    id_tokens: ExpiringMap<IssuedIdToken>,
    sessions: ExpiringMap<Session>,
    /// The session of each browser.
    browsers: ExpiringMap<String>,
    /// Assertions and proofs that were used; each is good once.
    used: ExpiringMap<()>,
    pushed: ExpiringMap<PushedRequest>,
    devices: ExpiringMap<device::DeviceRequest>,
    /// What is wrong with tokens that are wrong on purpose.
    flaws: ExpiringMap<String>,
    device_codes: ExpiringMap<String>,
    streams: Vec<EventStream>,
    pub(crate) notices: Notices,
    /// The `jti` of the latest logout token and of the latest event, for one that repeats it.
    pub(crate) last_jti: HashMap<FlowToken, String>,
    registered: HashMap<String, Registration>,
    /// Why each was revoked.
    // Never shrinks: a number for each revoked grant costs little until the provider stops.
    revoked_grants: HashMap<u64, &'static str>,
    grants: u64,
}

/// An authorization code.
#[derive(Clone)]
pub(crate) struct AuthorizationCode {
    pub(crate) grant: UserGrant,
    pub(crate) redirect_uri: String,
    /// The PKCE challenge; none if the client may go without it.
    pub(crate) challenge: Option<String>,
    validity: Validity,
}

/// A refresh token, by the grant that it renews.
#[derive(Clone)]
struct StoredRefreshToken {
    grant: UserGrant,
    validity: Validity,
}

/// A user's consent by signing in. Its codes and tokens end with it.
#[derive(Clone)]
pub(crate) struct UserGrant {
    pub(crate) id: u64,
    pub(crate) client: String,
    pub(crate) username: String,
    pub(crate) scope: String,
    pub(crate) audience: String,
    pub(crate) nonce: Option<String>,
    pub(crate) auth_time: u64,
    /// `acr` in all its tokens.
    pub(crate) acr: Option<String>,
    /// `sid` in all its tokens.
    pub(crate) session: String,
    /// The key to which a public client's refresh tokens are bound (RFC 9449, section 5): its
    /// thumbprint.
    pub(crate) jkt: Option<String>,
    /// The certificate to which they are bound (RFC 8705, section 4): its thumbprint.
    pub(crate) x5t: Option<String>,
    /// Who acts for the user (RFC 8693, section 4.1).
    pub(crate) act: Option<Value>,
    /// Whether it comes with refresh tokens.
    pub(crate) offline: bool,
    /// The `grant_type` that began it.
    pub(crate) way: &'static str,
}

/// A pushed authorization request (RFC 9126).
#[derive(Clone)]
struct PushedRequest {
    client: String,
    /// Form-encoded.
    parameters: String,
}

impl Store {
    pub(crate) fn next_grant(&mut self) -> u64 {
        self.grants += 1;
        self.grants
    }

    pub(crate) fn add_access_token(&mut self, token: &str, issued: IssuedAccessToken, now: u64) {
        let expires = issued.expires;
        self.access_tokens.insert(token, issued, expires, now);
    }

    /// An access token that is active: issued here, not expired, not revoked.
    pub(crate) fn access_token(&mut self, token: &str, now: u64) -> Option<IssuedAccessToken> {
        let found = self.access_tokens.find(token, now)?.clone();
        // Asked at every use, so that a revocation need not search for the tokens of its grant.
        if let Some(grant) = found.grant
            && self.revoked_grants.contains_key(&grant)
        {
            return None;
        }
        Some(found)
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
        let pushed = PushedRequest {
            client: client.to_owned(),
            parameters,
        };
        self.pushed.insert(uri, pushed, now + life, now);
    }

    /// The request that this client pushed. Reading it is no use of it: a page may be loaded again.
    pub(crate) fn pushed_request(&mut self, uri: &str, client: &str, now: u64) -> Option<String> {
        let found = self.pushed.find(uri, now)?;
        // A request URI is bound to the client that pushed it (RFC 9126, section 2.2).
        (found.client == client).then_some(found.parameters.clone())
    }

    /// Uses up a pushed request (RFC 9126, section 7.3). Returns whether it was still there.
    pub(crate) fn use_pushed(&mut self, uri: &str) -> bool {
        self.pushed.remove(uri).is_some()
    }

    /// Whether this name is used for the first time.
    pub(crate) fn is_first_use(&mut self, name: &str, expires: u64, now: u64) -> bool {
        let first = self.used.find(name, now).is_none();
        // Marked at once, under the lock: two requests at a time cannot both be first.
        if first {
            self.used.insert(name, (), expires, now);
        }
        first
    }

    /// Revokes a grant; the first reason counts.
    pub(crate) fn revoke_grant(&mut self, grant: u64, why: &'static str) {
        self.revoked_grants.entry(grant).or_insert(why);
    }

    pub(crate) fn revoke_access_token(&mut self, token: &str) {
        self.access_tokens.remove(token);
    }
}
