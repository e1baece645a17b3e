//! One switch and one counter for each endpoint.

use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The switches and the counters of all endpoints.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    switches: [Switch; Endpoint::ALL.len()],
}

#[derive(Debug, Default)]
struct Switch {
    fault: Mutex<Fault>,
    requests: AtomicU64,
}

impl Switches {
    pub(crate) fn set(&self, endpoint: Endpoint, fault: Fault) {
        if let Some(switch) = self.of(endpoint) {
            *switch
                .fault
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = fault;
        }
    }

    /// How an endpoint is to answer.
    pub(crate) fn fault(&self, endpoint: Endpoint) -> Fault {
        let set = self.of(endpoint).map(|switch| {
            *switch
                .fault
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        });
        set.unwrap_or_default()
    }

    /// Counts a request, and says how to answer it.
    pub(crate) fn request(&self, endpoint: Endpoint) -> Fault {
        if let Some(switch) = self.of(endpoint) {
            // Sequentially consistent: a test reads the counter from another thread.
            switch.requests.fetch_add(1, Ordering::SeqCst);
        }
        self.fault(endpoint)
    }

    pub(crate) fn requests(&self, endpoint: Endpoint) -> u64 {
        self.of(endpoint)
            .map(|switch| switch.requests.load(Ordering::SeqCst))
            .unwrap_or_default()
    }

    fn of(&self, endpoint: Endpoint) -> Option<&Switch> {
        let place = Endpoint::ALL
            .iter()
            .position(|known| *known == endpoint)?;
        self.switches.get(place)
    }
}
