//! Shared by all listeners: limits, bounds and telemetry.

use crate::listen::bounds::{Bounds, MOST_PROBES};
use crate::refusal::Refusal;
use crate::settings::LimitSettings;
use crate::telemetry::Telemetry;
use metrics::Counter;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Shared by all listeners.
#[derive(Clone)]
pub(crate) struct ListenerContext {
    pub(crate) limits: Arc<LimitSettings>,
    pub(crate) bounds: Arc<Bounds>,
    /// Slots for connections. Probes have their own.
    pub(crate) connection_slots: Arc<Semaphore>,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl ListenerContext {
    pub(crate) fn new(limits: LimitSettings, bounds: Bounds, telemetry: Arc<Telemetry>) -> Self {
        let connection_slots = Arc::new(Semaphore::new(bounds.connections));
        Self {
            limits: Arc::new(limits),
            bounds: Arc::new(bounds),
            connection_slots,
            telemetry,
        }
    }

    /// The same for probes, with slots of their own: a flood of clients must not make the gateway
    /// look dead to its supervisor.
    pub(crate) fn for_probes(&self) -> Self {
        Self {
            connection_slots: Arc::new(Semaphore::new(MOST_PROBES)),
            ..self.clone()
        }
    }

    /// Counts responses that the client did not read.
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
        meters.bounds.count_refusal(refusal);
        // No route was looked up, and no time was spent on it.
        meters.count_response(exposition, None, refusal.status(), Duration::ZERO);
    }
}
