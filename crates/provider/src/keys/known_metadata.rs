//! The metadata in use.

use crate::fetch::Reach;
use crate::metadata::Metadata;
use std::time::Duration;

/// The metadata in use, and when it was fetched on the monotonic clock.
#[derive(Clone, Debug)]
pub(super) struct KnownMetadata {
    pub(super) metadata: Metadata,
    pub(super) fetched: Duration,
    /// Where its addresses may lead.
    pub(super) reach: Reach,
}
