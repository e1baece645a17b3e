//! What the gateway reports about itself: metrics, audit records, and the trace a request belongs
//! to.
//!
//! Names are in [`events`], here and in the resource server. No request waits for a reader of
//! these: metrics are atomics, and audit records go through a bounded queue.

pub(crate) mod audit;
pub(crate) mod bounds;
pub mod events;
pub(crate) mod exposition;
pub(crate) mod meters;
mod plain_json;
pub(crate) mod record;

use crate::settings::LogSettings;
use audit::Audit;
use exposition::Exposition;
use meters::Meters;
use portcullis_core::ConfigErrors;

/// Shared by all generations of the settings, so that counts go on through a reload.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) exposition: Exposition,
    pub(crate) meters: Meters,
    pub(crate) audit: Option<Audit>,
}

impl Telemetry {
    /// Opens the destination of the audit records.
    pub(crate) fn new(log: &LogSettings) -> Result<Self, ConfigErrors> {
        let exposition = Exposition::new();
        let meters = Meters::new(&exposition);
        let audit = Audit::open(log, meters.audit_dropped.clone())?;
        Ok(Self {
            exposition,
            meters,
            audit,
        })
    }
}
