//! The answer, three ways. Every door handles all three.

use crate::outage::Outage;
use crate::policy::Permit;
use crate::rejection::Rejection;

/// What became of a request.
#[derive(Clone, Debug)]
#[must_use = "a decision that nobody reads protects nothing"]
pub enum Decision {
    /// It may go on.
    Allow(Permit),
    /// It is refused: the caller's side.
    Deny(Rejection),
    /// Nobody can tell: our side, or the identity provider's.
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

/// Why a request may not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The caller's side.
    Rejection(Rejection),
    /// Our side, or the identity provider's.
    Outage(Outage),
}

impl Denial {
    /// The stable code of the refusal or the outage.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rejection(rejection) => rejection.code().as_str(),
            Self::Outage(outage) => outage.code().as_str(),
        }
    }
}

impl From<Rejection> for Denial {
    fn from(rejection: Rejection) -> Self {
        Self::Rejection(rejection)
    }
}

impl From<Outage> for Denial {
    fn from(outage: Outage) -> Self {
        Self::Outage(outage)
    }
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejection(rejection) => rejection.fmt(f),
            Self::Outage(outage) => outage.fmt(f),
        }
    }
}

impl std::error::Error for Denial {}
