//! The status of an issued token, for the console. Reading it uses nothing up.

use crate::store::Store;
use crate::token::kind::TokenKind;

/// How long the flaws of a token are remembered: longer than people look.
const FLAWS_LIFE: u64 = 24 * 3_600;

/// The status of an issued token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenStatus {
    Active,
    /// It was good once.
    Spent,
    Revoked,
    /// Expired, or never known here.
    Unknown,
}

/// The owner of a token, and whether it is used up.
#[derive(Default)]
pub(crate) struct TokenOwner {
    pub(crate) client: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) grant: Option<u64>,
    is_spent: bool,
}

impl Store {
    pub(crate) fn add_flaws(&mut self, token: &str, flaws: String, now: u64) {
        self.flaws.insert(token, flaws, now + FLAWS_LIFE, now);
    }

    pub(crate) fn flaws_of(&mut self, token: &str, now: u64) -> Option<String> {
        self.flaws.find(token, now).cloned()
    }

    /// The owner of a token; none if it is unknown here, or expired.
    pub(crate) fn owner(&mut self, kind: TokenKind, token: &str, now: u64) -> Option<TokenOwner> {
        let of_grant = |grant: &super::UserGrant, is_spent| TokenOwner {
            client: Some(grant.client.clone()),
            username: Some(grant.username.clone()),
            grant: Some(grant.id),
            is_spent,
        };
        match kind {
            // Not by `access_token`, which hides revoked tokens: their owner is still shown.
            TokenKind::Access => self
                .access_tokens
                .find(token, now)
                .map(|issued| TokenOwner {
                    client: Some(issued.client.clone()),
                    username: issued.username.clone(),
                    grant: issued.grant,
                    is_spent: false,
                }),
            TokenKind::Id => self
                .id_tokens
                .find(token, now)
                .map(|issued| TokenOwner {
                    client: Some(issued.client.clone()),
                    username: Some(issued.username.clone()),
                    grant: Some(issued.grant),
                    is_spent: false,
                }),
            // A used one is kept until it expires, because its second use is an alarm.
            TokenKind::Refresh => {
                let found = self.refresh_tokens.find(token, now)?;
                let validity = found.validity;
                let is_known = !validity.is_over(now);
                is_known.then(|| of_grant(&found.grant, validity.is_used()))
            }
            TokenKind::Code => {
                let found = self.codes.find(token, now)?;
                let validity = found.validity;
                let is_known = !validity.is_over(now);
                is_known.then(|| of_grant(&found.grant, validity.is_used()))
            }
        }
    }

    pub(crate) fn status(&mut self, kind: TokenKind, token: &str, now: u64) -> TokenStatus {
        let Some(owner) = self.owner(kind, token, now) else {
            return TokenStatus::Unknown;
        };
        // Revoked counts more than used: it says why a code or token is worth nothing.
        let is_revoked = owner
            .grant
            .is_some_and(|id| self.revoked_grants.contains_key(&id));
        match (is_revoked, owner.is_spent) {
            (true, _) => TokenStatus::Revoked,
            (false, true) => TokenStatus::Spent,
            (false, false) => TokenStatus::Active,
        }
    }
}
