//! What becomes of proofs, in figures.

use crate::events::{PROOFS, PROOFS_UNSHARED};
use metrics::Counter;
use portcullis_core::rejection::Code;
use portcullis_core::{Denial, OutageCode};
use std::collections::BTreeMap;
use std::fmt;

/// The counters of proofs, held ready for each code.
pub(super) struct ProofMeters {
    accepted: Counter,
    refused: BTreeMap<Code, Counter>,
    undecided: Counter,
    /// Accepted by the memory of this replica alone.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "for a store"))]
    pub(super) unshared: Counter,
}

impl ProofMeters {
    /// Counters at the recorder that is installed at this moment.
    pub(super) fn new() -> Self {
        metrics::with_recorder(|recorder| {
            let mut refused = BTreeMap::new();
            for code in Code::ALL {
                if code.as_str().starts_with("proof.") {
                    refused.insert(*code, PROOFS.count(recorder, &[code.as_str()]));
                }
            }
            Self {
                accepted: PROOFS.count(recorder, &["ok"]),
                refused,
                undecided: PROOFS.count(recorder, &[OutageCode::Replay.as_str()]),
                unshared: PROOFS_UNSHARED.count(recorder, &[]),
            }
        })
    }

    /// Counts one proof.
    pub(super) fn count<T>(&self, result: &Result<T, Denial>) {
        let counter = match result {
            Ok(_) => Some(&self.accepted),
            Err(Denial::Rejection(rejection)) => self.refused.get(&rejection.code()),
            Err(Denial::Outage(_)) => Some(&self.undecided),
        };
        if let Some(counter) = counter {
            counter.increment(1);
        }
    }
}

impl fmt::Debug for ProofMeters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the figures of proofs")
    }
}
