//! Logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.4).

use super::checks::{self, LOGOUT_CHECKS};
use super::examination;
use super::fault::EventFault;
use super::terms::LogoutTerms;
use crate::jose::{SignedToken, UnverifiedToken};
use crate::token::{Claims, NumericDate};

/// A verified logout token: a session at the issuer is over, or all of a person.
#[derive(Clone, Debug)]
pub struct LogoutToken {
    claims: Claims,
}

impl LogoutToken {
    /// Checks what needs no key, so that junk causes no fetch of keys.
    ///
    /// # Errors
    ///
    /// The first fault, with the code for the sender.
    pub fn screen(
        token: &UnverifiedToken<'_>,
        terms: &LogoutTerms,
        now: NumericDate,
    ) -> Result<(), EventFault> {
        examination::screen(LOGOUT_CHECKS, token, terms, now)
    }

    /// The logout token that a signed token is.
    ///
    /// # Errors
    ///
    /// The first fault, with the code for the sender.
    pub fn verify(
        token: SignedToken,
        terms: &LogoutTerms,
        now: NumericDate,
    ) -> Result<Self, EventFault> {
        let claims = examination::verify(LOGOUT_CHECKS, token, terms, now)?;
        Ok(Self { claims })
    }

    /// `sid`: the session at the issuer.
    pub fn session(&self) -> Option<&str> {
        checks::session(&self.claims).ok().flatten()
    }

    /// `sub`: the person.
    pub fn subject(&self) -> Option<&str> {
        self.claims.subject()
    }

    /// `jti`: what the token is known by.
    pub fn token_id(&self) -> &str {
        self.claims.token_id().unwrap_or_default()
    }

    /// `iat`: when the logout was told.
    pub fn issued_at(&self) -> NumericDate {
        // A row of the table demands it, so there is always one.
        let never = NumericDate::from_seconds(0);
        self.claims.issued_at().unwrap_or(never)
    }
}
