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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::jose::json::{self, Json};

    fn token(claims: &str) -> LogoutToken {
        let Json::Object(claims) = json::parse(claims.as_bytes(), &Limits::default()).unwrap()
        else {
            panic!("{claims}");
        };
        let claims = Claims::from_object(claims).unwrap();
        LogoutToken { claims }
    }

    #[test]
    fn a_logout_token_tells_the_session_the_person_and_when() {
        let whole = token(r#"{"sid":"s","sub":"alice","jti":"1","iat":1800000000}"#);
        assert_eq!(
            (whole.session(), whole.subject()),
            (Some("s"), Some("alice"))
        );
        assert_eq!(
            (whole.token_id(), whole.issued_at().seconds()),
            ("1", 1_800_000_000)
        );
        let of_person = token(r#"{"sub":"alice","jti":"1","iat":1800000000}"#);
        assert_eq!(of_person.session(), None);
        let of_session = token(r#"{"sid":"s","jti":"1","iat":1800000000}"#);
        assert_eq!(of_session.subject(), None);
    }
}
