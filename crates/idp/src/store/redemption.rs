//! Authorization codes and refresh tokens: each is good once, and for a while.
//!
//! A used or expired one is remembered, so that its second use revokes the grant, and so that the
//! refusal can say what happened. The maps are bounded, as all of them are.

use crate::store::{Store, UserGrant};
use crate::token::encoding::random_text;

/// How long an expired code or token is remembered, in seconds: longer than people look for it.
const REMEMBERED: u64 = 3_600;

/// An authorization code.
#[derive(Clone)]
pub(crate) struct AuthorizationCode {
    pub(crate) grant: UserGrant,
    pub(crate) redirect_uri: String,
    /// The PKCE challenge; none if the client may go without it.
    pub(crate) challenge: Option<String>,
    pub(super) validity: Validity,
}

#[derive(Clone)]
pub(super) struct StoredRefreshToken {
    pub(super) grant: UserGrant,
    pub(super) validity: Validity,
}

/// For how long a code or a token is good, and whether it was used.
#[derive(Clone, Copy)]
pub(super) struct Validity {
    expires: u64,
    lifetime: u32,
    used_at: Option<u64>,
}

/// Why a code or a refresh token is worth nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RedemptionError {
    /// Never issued here, or longer ago than is remembered.
    Unknown,
    /// So many seconds ago, after that lifetime.
    Expired(u64, u32),
    /// So many seconds ago.
    Used(u64),
    /// The grant was revoked, in these words.
    Revoked(&'static str),
    /// It was issued to this client.
    OtherClient(String),
}

/// The reasons for which a grant ends.
pub(crate) const BY_SECOND_USE: &str = "a code or a refresh token of it was used twice";
pub(crate) const BY_LOGOUT: &str = "the user signed out";
pub(crate) const BY_REVOCATION: &str = "a token of it was revoked";

impl Validity {
    fn new(lifetime: u32, now: u64) -> Self {
        Self {
            expires: now + u64::from(lifetime),
            lifetime,
            used_at: None,
        }
    }

    fn forgotten(self) -> u64 {
        self.expires + REMEMBERED
    }

    pub(super) fn is_used(self) -> bool {
        self.used_at.is_some()
    }

    pub(super) fn is_over(self, now: u64) -> bool {
        now >= self.expires
    }

    /// Marks the use, or says why there can be none.
    fn redeem(&mut self, now: u64) -> Result<(), RedemptionError> {
        // A wrong clock may have gone back since.
        if let Some(used_at) = self.used_at {
            return Err(RedemptionError::Used(now.saturating_sub(used_at)));
        }
        self.check_time(now)?;
        // Marked and kept, because what is removed could not betray its second use.
        self.used_at = Some(now);
        Ok(())
    }

    fn check_time(self, now: u64) -> Result<(), RedemptionError> {
        if !self.is_over(now) || self.is_used() {
            return Ok(());
        }
        let ago = now.saturating_sub(self.expires);
        Err(RedemptionError::Expired(ago, self.lifetime))
    }
}

impl RedemptionError {
    /// In a sentence about `name`, a code or a token.
    pub(crate) fn sentence(&self, name: &str) -> String {
        match self {
            Self::Unknown => format!("the {name} is unknown: never issued here, or long ago"),
            Self::Expired(ago, lifetime) => {
                format!("the {name} expired {ago} s ago: it is good for {lifetime} s")
            }
            Self::Used(ago) => format!(
                "the {name} was used {ago} s ago, and is good once; all tokens of its sign-in \
                 are revoked now"
            ),
            Self::Revoked(why) => format!("the grant of the {name} was revoked: {why}"),
            Self::OtherClient(client) => {
                format!("the {name} was issued to the client `{client}`")
            }
        }
    }
}

impl Store {
    /// A code for this grant, good once and for `lifetime` seconds.
    pub(crate) fn add_code(
        &mut self,
        grant: UserGrant,
        redirect_uri: String,
        challenge: Option<String>,
        (lifetime, now): (u32, u64),
    ) -> String {
        let (code, validity) = (random_text(32), Validity::new(lifetime, now));
        let value = AuthorizationCode {
            grant,
            redirect_uri,
            challenge,
            validity,
        };
        self.codes
            .insert(&code, value, validity.forgotten(), now);
        code
    }

    /// Redeems a code. A second use revokes the tokens of the first (RFC 6749, section 4.1.2).
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        now: u64,
    ) -> Result<AuthorizationCode, RedemptionError> {
        let Some(found) = self.codes.find(code, now) else {
            return Err(RedemptionError::Unknown);
        };
        let redeemed = found.validity.redeem(now);
        let found = found.clone();
        self.settle(&found.grant, redeemed)?;
        Ok(found)
    }

    /// A refresh token for this grant, good once and for `lifetime` seconds.
    pub(crate) fn add_refresh_token(
        &mut self,
        grant: UserGrant,
        (lifetime, now): (u32, u64),
    ) -> String {
        let (token, validity) = (random_text(32), Validity::new(lifetime, now));
        let value = StoredRefreshToken { grant, validity };
        self.refresh_tokens
            .insert(&token, value, validity.forgotten(), now);
        token
    }

    /// The grant of a client's refresh token, without using it up.
    pub(crate) fn grant_of(
        &mut self,
        refresh_token: &str,
        client: &str,
        now: u64,
    ) -> Result<UserGrant, RedemptionError> {
        let Some(found) = self.refresh_tokens.find(refresh_token, now) else {
            return Err(RedemptionError::Unknown);
        };
        if found.grant.client != client {
            let owner = found.grant.client.clone();
            return Err(RedemptionError::OtherClient(owner));
        }
        found.validity.check_time(now)?;
        Ok(found.grant.clone())
    }

    /// Uses up a refresh token. A second use revokes its whole family (RFC 9700, section 4.14.2).
    pub(crate) fn rotate(
        &mut self,
        refresh_token: &str,
        now: u64,
    ) -> Result<UserGrant, RedemptionError> {
        let Some(found) = self.refresh_tokens.find(refresh_token, now) else {
            return Err(RedemptionError::Unknown);
        };
        let redeemed = found.validity.redeem(now);
        let grant = found.grant.clone();
        self.settle(&grant, redeemed)?;
        Ok(grant)
    }

    /// Revokes the grant at a second use, and refuses one that was revoked before.
    fn settle(
        &mut self,
        grant: &UserGrant,
        redeemed: Result<(), RedemptionError>,
    ) -> Result<(), RedemptionError> {
        // A second use means that somebody else has it: nobody gets more tokens.
        if let Err(RedemptionError::Used(_)) = redeemed {
            self.revoke_grant(grant.id, BY_SECOND_USE);
        }
        redeemed?;
        // A logout or a revocation since the sign-in counts as well.
        match self.revoked_grants.get(&grant.id) {
            Some(why) => Err(RedemptionError::Revoked(why)),
            None => Ok(()),
        }
    }
}
