//! What all listeners share: limits, bounds, places and counters.

use crate::listen::bounds::{Bounds, MOST_PROBES};
use crate::refusal::Refusal;
use crate::settings::LimitSettings;
use crate::telemetry::Telemetry;
use metrics::Counter;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What all listeners share.
#[derive(Clone)]
pub(crate) struct Shares {
    pub(crate) limits: Arc<LimitSettings>,
    pub(crate) bounds: Arc<Bounds>,
    /// Places for connections. Probes have their own.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl Shares {
    pub(crate) fn new(limits: LimitSettings, bounds: Bounds, telemetry: Arc<Telemetry>) -> Self {
        let places = Arc::new(Semaphore::new(bounds.connections));
        Self {
            limits: Arc::new(limits),
            bounds: Arc::new(bounds),
            places,
            telemetry,
        }
    }

    /// The same for probes, with connections of their own.
    pub(crate) fn for_probes(&self) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_PROBES)),
            ..self.clone()
        }
    }

    /// Counts answers that the client did not read.
    pub(crate) fn given_up(&self) -> Counter {
        self.telemetry.meters.bounds.readers.clone()
    }

    /// Counts connections that cancelled too many requests.
    pub(crate) fn abuses(&self) -> Counter {
        self.telemetry.meters.bounds.abuses.clone()
    }

    /// Counts a request that was out of bounds.
    pub(crate) fn count_refusal(&self, refusal: &Refusal) {
        let Telemetry {
            exposition, meters, ..
        } = &*self.telemetry;
        meters.bounds.refused(refusal);
        meters.answered(exposition, None, refusal.status(), Duration::ZERO);
    }
}
