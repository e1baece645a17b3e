//! Authorization codes and refresh tokens: each is good once, and for a while.
//!
//! A used or expired one is remembered, so that its second use revokes the grant, and so that the
//! refusal can say what happened. The maps are bounded, as all of them are.

use crate::store::validity::{BY_SECOND_USE, RedemptionError, Validity};
use crate::store::{AuthorizationCode, Store, StoredRefreshToken, UserGrant};
use crate::token::encoding::random_text;

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
