//! The decision about a request: allow, deny, or fail. Every door handles all three.

use crate::denial::Denial;
use crate::outage::Outage;
use crate::policy::Permit;
use crate::rejection::Rejection;

// Exhaustive on purpose: a door that forgets `Fail` should not compile.
/// The decision about a request.
#[derive(Clone, Debug)]
#[must_use = "a decision that nobody reads protects nothing"]
pub enum Decision {
    /// The request may go on.
    Allow(Permit),
    /// The request is refused: the caller's fault.
    Deny(Rejection),
    /// There is no decision: our fault, or the identity provider's.
    Fail(Outage),
}

impl Decision {
    /// The permit, or the answer to give instead.
    ///
    /// # Errors
    ///
    /// The refusal or the outage.
    pub fn into_result(self) -> Result<Permit, Denial> {
        match self {
            Self::Allow(permit) => Ok(permit),
            Self::Deny(rejection) => Err(Denial::Rejection(rejection)),
            Self::Fail(outage) => Err(Denial::Outage(outage)),
        }
    }
}

impl From<Result<Permit, Denial>> for Decision {
    fn from(result: Result<Permit, Denial>) -> Self {
        match result {
            Ok(permit) => Self::Allow(permit),
            Err(Denial::Rejection(rejection)) => Self::Deny(rejection),
            Err(Denial::Outage(outage)) => Self::Fail(outage),
        }
    }
}
