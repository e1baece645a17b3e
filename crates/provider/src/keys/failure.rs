//! Why there are no new keys.

use portcullis_core::OutageCode;

/// Why there are no new keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RefreshFailure {
    pub(super) code: OutageCode,
    pub(super) reason: String,
}

impl RefreshFailure {
    /// The key set cannot be had, or cannot be used.
    pub(super) fn of_keys(reason: impl Into<String>) -> Self {
        Self {
            code: OutageCode::Keys,
            reason: reason.into(),
        }
    }
}
