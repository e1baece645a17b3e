//! The caller's faults: every reason for which a request is refused.
//!
//! A [`Rejection`] has a stable [`Code`], and facts for the operator's log. A client sees only the
//! fixed phrase of the code; nothing from a token is ever echoed to it.
//!
//! ```
//! use portcullis_core::{Code, Rejection};
//!
//! let rejection = Rejection::of_issuer(Some("https://other.example"));
//! assert_eq!(rejection.code(), Code::TokenIssuer);
//! assert_eq!(rejection.facts().found(), "`https://other.example`");
//! assert_eq!(
//!     rejection.to_string(),
//!     "token.issuer: the access token was issued by someone else \
//!      (expected a configured issuer, found `https://other.example`)"
//! );
//! ```

mod caller;
mod catalog;
mod causes;
mod dpop_offer;
mod facts;
mod party;
mod step_up;

pub use caller::{Entitlements, Names, RefusedCaller, Shortfall};
pub use catalog::{Code, CodeEntry};
pub use dpop_offer::DpopOffer;
pub use facts::{Facts, quote};
pub use party::Party;
pub use step_up::StepUp;

use crate::proof::Binding;
use crate::token::Scopes;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

// Results carry it by value on every path, so what few refusals have is boxed.
/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    code: Code,
    facts: Facts,
    scopes: Option<Box<Scopes>>,
    step_up: Option<Box<StepUp>>,
    caller: Option<Box<RefusedCaller>>,
    dpop: Option<Box<DpopOffer>>,
    demanded: Option<Binding>,
    resource_metadata: Option<Arc<str>>,
}

impl Rejection {
    /// A refusal with this code and no facts.
    pub(crate) fn new(code: Code) -> Self {
        Self::with(code, Facts::default())
    }

    /// A refusal with what was expected, and what was found instead.
    pub(crate) fn with(code: Code, facts: Facts) -> Self {
        Self {
            code,
            facts,
            scopes: None,
            step_up: None,
            caller: None,
            dpop: None,
            demanded: None,
            resource_metadata: None,
        }
    }

    /// Names the scopes that the request needs (RFC 6750, section 3).
    pub(crate) fn needing(mut self, scopes: Scopes) -> Self {
        // `scope=""` in a challenge would ask for a token without scopes.
        self.scopes = (!scopes.is_empty()).then(|| Box::new(scopes));
        self
    }

    /// Names how and when the user must have signed in (RFC 9470, section 3).
    pub(crate) fn stepping_up(mut self, step_up: StepUp) -> Self {
        self.step_up = (!step_up.is_empty()).then(|| Box::new(step_up));
        self
    }

    /// Names the verified caller: for the operator's records, never for the client.
    #[must_use]
    pub fn with_caller(mut self, caller: RefusedCaller) -> Self {
        self.caller = Some(Box::new(caller));
        self
    }

    /// Names how all tokens of the issuer must be bound.
    pub(crate) fn demanding(mut self, binding: Option<Binding>) -> Self {
        self.demanded = binding;
        self
    }

    /// How the token must be bound, if its issuer's tokens must be and it is not.
    pub fn demanded_binding(&self) -> Option<Binding> {
        self.demanded
    }

    /// Says in the challenge how proofs are made here (RFC 9449, section 7.1).
    #[must_use]
    pub fn offering(mut self, dpop: DpopOffer) -> Self {
        self.dpop = Some(Box::new(dpop));
        self
    }

    /// Says in the challenge where the resource describes itself (RFC 9728, section 5.1), and which
    /// scopes the request needs. Only to clients that another token helps: the others would ask
    /// for one again and again.
    #[must_use]
    pub fn at_resource(mut self, metadata: &Arc<str>, needed: Scopes) -> Self {
        let entry = self.code.entry();
        let lacks_scope = entry.error == catalog::INSUFFICIENT_SCOPE;
        if entry.status != 401 && !lacks_scope {
            return self;
        }
        self.resource_metadata = Some(Arc::clone(metadata));
        // A faulty proof is cured by another proof, and not by another token.
        if self.scopes.is_none() && self.is_cured_by_token() {
            return self.needing(needed);
        }
        self
    }

    /// Whether another token is what the client needs.
    fn is_cured_by_token(&self) -> bool {
        let error = self.code.entry().error;
        error.is_none() || error == catalog::INVALID_TOKEN
    }

    /// The token is longer than the limit.
    pub(crate) fn of_size(found: usize, limit: usize) -> Self {
        let facts = Facts::new(format!("at most {limit} bytes"), format!("{found} bytes"));
        Self::with(Code::TokenTooLarge, facts)
    }

    /// The token's issuer is not configured.
    pub fn of_issuer(found: Option<&str>) -> Self {
        let found = match found {
            Some(issuer) => quote(issuer),
            None => "no `iss`".to_owned(),
        };
        Self::with(Code::TokenIssuer, Facts::new("a configured issuer", found))
    }

    /// The token's tenant is not configured.
    pub fn of_tenant(found: &str) -> Self {
        Self::with(
            Code::TokenTenant,
            Facts::new("a configured tenant", quote(found)),
        )
    }

    /// The issuer does not publish the key that the token names.
    pub fn of_unknown_key(kid: Option<&str>) -> Self {
        let found = match kid {
            Some(kid) => quote(kid),
            None => "no `kid`".to_owned(),
        };
        let facts = Facts::new("a key that the issuer publishes", found);
        Self::with(Code::TokenKeyUnknown, facts)
    }

    /// The key that the token names is not known, and the issuer was not asked for it, because
    /// unknown keys forced too many fetches. It may be asked after this long.
    pub fn of_unasked_key(kid: Option<&str>, wait: Duration) -> Self {
        let unknown = Self::of_unknown_key(kid);
        let facts = unknown.facts();
        // A part of a second would be told as none.
        let is_more = wait.subsec_nanos() > 0;
        let seconds = wait.as_secs() + u64::from(is_more);
        let found = format!(
            "{}; after other unknown keys, the issuer is asked again in {seconds} s",
            facts.found()
        );
        let expected = facts.expected().to_owned();
        let facts = Facts::new(expected, found);
        Self::with(Code::TokenKeyUnknown, facts)
    }

    /// The key that the token names is published for another algorithm.
    pub fn of_key_algorithm(found: crate::jose::Algorithm) -> Self {
        Self::with(
            Code::TokenAlgorithm,
            Facts::new("the algorithm that the key is published for", found.name()),
        )
    }

    /// The token, or what it stands on, was revoked. `found` says which: `its subject`, for
    /// example.
    pub fn of_revocation(found: impl Into<Cow<'static, str>>) -> Self {
        Self::with(
            Code::TokenRevoked,
            Facts::new("a token that nobody revoked", found),
        )
    }

    /// The user has to sign in again (RFC 9470, section 3): `found` says why.
    pub fn of_sign_in(found: impl Into<Cow<'static, str>>) -> Self {
        let mut step_up = StepUp::default();
        // No sign-in of before will do, however short ago.
        step_up.add_age(Duration::ZERO);
        let facts = Facts::new("a sign-in after that", found);
        Self::with(Code::PolicyStepUp, facts).stepping_up(step_up)
    }

    /// The token expired while the request that it came with was still under way.
    pub fn of_expiry() -> Self {
        Self::with(
            Code::TokenExpired,
            Facts::new(
                "a token that lasts as long as its request",
                "it expired while the request was under way",
            ),
        )
    }

    /// The stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What was expected and what was found: for the operator's log, never for the client.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The caller, if the token was verified before the refusal: by policy, or because it was
    /// revoked. For the operator's records, never for the client.
    pub fn caller(&self) -> Option<&RefusedCaller> {
        self.caller.as_deref()
    }

    /// The scopes that the request needs, if the token lacks one.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_deref()
    }

    /// Where the resource describes itself, if the client may need that.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.resource_metadata.as_deref()
    }

    /// How proofs are made here, if the caller may need one.
    pub fn dpop(&self) -> Option<&DpopOffer> {
        self.dpop.as_deref()
    }

    /// How and when the user must have signed in, if the token does not show it.
    pub fn step_up(&self) -> Option<&StepUp> {
        self.step_up.as_deref()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.code.entry().phrase)?;
        if !self.facts.is_empty() {
            write!(f, " ({})", self.facts)?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_code_phrase_and_facts() {
        let plain = Rejection::new(Code::TokenSignature);
        assert_eq!(
            plain.to_string(),
            "token.signature: the signature of the access token is invalid"
        );
        assert!(plain.facts().is_empty() && plain.scopes().is_none());
        let told = Rejection::of_issuer(Some("a\nb"));
        assert!(
            told.to_string()
                .ends_with("(expected a configured issuer, found `a\\nb`)"),
            "{told}"
        );
        assert_eq!(Rejection::of_issuer(None).facts().found(), "no `iss`");
        assert_eq!(Rejection::of_unknown_key(None).facts().found(), "no `kid`");
        assert_eq!(Rejection::of_unknown_key(Some("k")).facts().found(), "`k`");
        let algorithm = Rejection::of_key_algorithm(crate::jose::Algorithm::PS256);
        assert_eq!(
            (algorithm.code(), algorithm.facts().found()),
            (Code::TokenAlgorithm, "PS256")
        );
        assert_eq!(Rejection::of_expiry().code(), Code::TokenExpired);
        let revoked = Rejection::of_revocation("its subject");
        assert_eq!(
            (revoked.code(), revoked.facts().found()),
            (Code::TokenRevoked, "its subject")
        );
    }
}
