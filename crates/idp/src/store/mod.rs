//! The provider's memory: grants, codes, tokens, sessions. Bounded and expiring, and lost at the
//! end.

pub(crate) mod device;
pub(crate) mod devices;
pub(crate) mod expiring;
pub(crate) mod journal;
pub(crate) mod notice;
pub(crate) mod registration;
pub(crate) mod registrations;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod streams;
pub(crate) mod trials;

use crate::store::expiring::ExpiringMap;
use crate::store::notice::Notices;
use crate::store::registration::Registration;
use crate::store::session::Session;
use crate::store::stream::EventStream;
use crate::token::encoding::random_text;
use crate::token::issued::{IssuedAccessToken, IssuedIdToken};
use crate::token::kind::FlowToken;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

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
    // Never shrinks: a number for each revoked grant costs little until the provider stops.
    revoked_grants: HashSet<u64>,
    grants: u64,
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

/// An authorization code.
#[derive(Clone)]
pub(crate) struct AuthorizationCode {
    pub(crate) grant: UserGrant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    used: bool,
}

/// A pushed authorization request (RFC 9126).
#[derive(Clone)]
struct PushedRequest {
    client: String,
    /// Form-encoded.
    parameters: String,
}

#[derive(Clone)]
struct StoredRefreshToken {
    grant: UserGrant,
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
        grant: UserGrant,
        redirect_uri: String,
        challenge: String,
        now: u64,
    ) -> String {
        let code = random_text(32);
        self.codes.insert(
            &code,
            AuthorizationCode {
                grant,
                redirect_uri,
                challenge,
                used: false,
            },
            // RFC 6749, section 4.1.2, allows ten minutes at most; a browser needs a second.
            now + 60,
            now,
        );
        code
    }

    /// Redeems a code. A second use revokes the tokens of the first (RFC 6749, section 4.1.2).
    pub(crate) fn redeem(&mut self, code: &str, now: u64) -> Option<AuthorizationCode> {
        let found = self.codes.find(code, now)?;
        if found.used {
            // A second use means that somebody else has the code.
            let grant = found.grant.id;
            self.revoked_grants.insert(grant);
            return None;
        }
        // A logout or a revocation since the sign-in counts as well.
        if self.revoked_grants.contains(&found.grant.id) {
            return None;
        }
        // Marked and kept, because a removed code could not betray its second use.
        found.used = true;
        Some(found.clone())
    }

    /// A refresh token for this grant.
    pub(crate) fn add_refresh_token(&mut self, grant: UserGrant, now: u64) -> String {
        // Long enough that no development session meets the limit.
        const FOURTEEN_DAYS: u64 = 14 * 24 * 3_600;
        let token = random_text(32);
        self.refresh_tokens.insert(
            &token,
            StoredRefreshToken { grant, used: false },
            now + FOURTEEN_DAYS,
            now,
        );
        token
    }

    /// The grant of a refresh token, without using it up.
    pub(crate) fn grant_of(&mut self, refresh_token: &str, now: u64) -> Option<UserGrant> {
        let found = self.refresh_tokens.find(refresh_token, now)?;
        Some(found.grant.clone())
    }

    /// Uses up a refresh token. A second use revokes its whole family (RFC 9700, section 4.14.2).
    pub(crate) fn rotate(&mut self, refresh_token: &str, now: u64) -> Option<UserGrant> {
        let found = self.refresh_tokens.find(refresh_token, now)?;
        let (grant, used) = (found.grant.clone(), found.used);
        found.used = true;
        // A second use means that somebody else has the token: nobody gets another one.
        if used {
            self.revoked_grants.insert(grant.id);
        }
        // A logout or a revocation since the last refresh counts as well.
        (!self.revoked_grants.contains(&grant.id)).then_some(grant)
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
            && self.revoked_grants.contains(&grant)
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

    pub(crate) fn revoke_grant(&mut self, grant: u64) {
        self.revoked_grants.insert(grant);
    }

    pub(crate) fn revoke_access_token(&mut self, token: &str) {
        self.access_tokens.remove(token);
    }
}
