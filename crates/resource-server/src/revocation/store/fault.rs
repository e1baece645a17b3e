//! Why the store could not be read or written.

use crate::revocation::DenylistFull;
use portcullis_core::{Outage, OutageCode};
use std::time::Duration;

/// Why the store could not be read or written. It never quotes the URL.
#[derive(Clone, Debug)]
pub(super) struct StoreFault(pub(super) String);

impl From<StoreFault> for Outage {
    fn from(StoreFault(reason): StoreFault) -> Self {
        let facts = format!("the revocation store: {reason}");
        Self::new(OutageCode::Revocation, facts, Duration::from_secs(1))
    }
}

impl From<DenylistFull> for StoreFault {
    fn from(full: DenylistFull) -> Self {
        Self(Outage::from(full).facts().to_owned())
    }
}
