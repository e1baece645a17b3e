//! Why there are no new keys.

use crate::fetch::FetchFault;
use portcullis_core::OutageCode;

/// Why there are no new keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RefreshFailure {
    pub(super) code: OutageCode,
    pub(super) reason: String,
    /// What to do about it, if more is known than the code says.
    pub(super) cure: Option<&'static str>,
}

impl RefreshFailure {
    /// The key set cannot be had, or cannot be used.
    pub(super) fn of_keys(reason: impl Into<String>) -> Self {
        Self {
            code: OutageCode::Keys,
            reason: reason.into(),
            cure: None,
        }
    }

    /// The key set was not fetched.
    pub(super) fn of_fetch(fault: &FetchFault) -> Self {
        Self {
            // The network's cure is more exact than the one of the code.
            cure: fault.cure,
            ..Self::of_keys(fault.to_string())
        }
    }
}
