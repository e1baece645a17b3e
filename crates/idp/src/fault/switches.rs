//! One switch and one counter for each endpoint.

use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::order::FaultOrder;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The switches and the counters of all endpoints.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    switches: [Switch; Endpoint::ALL.len()],
}

#[derive(Debug, Default)]
struct Switch {
    order: Mutex<FaultOrder>,
    requests: AtomicU64,
}

impl Switch {
    fn lock(&self) -> MutexGuard<'_, FaultOrder> {
        self.order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Switches {
    pub(crate) fn set(&self, endpoint: Endpoint, order: FaultOrder) {
        if let Some(switch) = self.of(endpoint) {
            *switch.lock() = order;
        }
    }

    /// How an endpoint is to answer.
    pub(crate) fn order(&self, endpoint: Endpoint) -> FaultOrder {
        let set = self.of(endpoint).map(|switch| *switch.lock());
        set.unwrap_or_default()
    }

    /// Counts a request, and says how to answer it.
    pub(crate) fn request(&self, endpoint: Endpoint) -> Fault {
        let Some(switch) = self.of(endpoint) else {
            return Fault::None;
        };
        // Sequentially consistent: a test reads the counter from another thread.
        switch.requests.fetch_add(1, Ordering::SeqCst);
        switch.lock().take()
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
