//! Why a request may not go on: the caller's fault, or an outage.

use crate::outage::Outage;
use crate::rejection::Rejection;
use std::fmt;

// Exhaustive on purpose: an outage must never be answered like a refusal, or the reverse.
/// Why a request may not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The caller's fault.
    Rejection(Rejection),
    /// Our fault, or the identity provider's.
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

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejection(rejection) => rejection.fmt(f),
            Self::Outage(outage) => outage.fmt(f),
        }
    }
}

impl std::error::Error for Denial {}
