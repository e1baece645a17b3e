//! What the gateway reports about itself: metrics, audit records, and the trace a request belongs
//! to.
//!
//! Names are in [`events`], here and in the resource server. No request waits for a reader of
//! these: metrics are atomics, and audit records go through a bounded queue.

pub(crate) mod answer_record;
pub(crate) mod audit;
pub(crate) mod bounds;
mod denial_log;
mod event_record;
pub mod events;
pub(crate) mod exposition;
pub(crate) mod meters;
#[cfg(test)]
mod page_tests;
mod plain_json;
pub(crate) mod record;
mod response_record;
pub(crate) mod response_watch;

use crate::decision::policy::RouteDecision;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::settings::LogSettings;
use answer_record::{AnswerRecord, AnsweredRequest};
use audit::Audit;
use event_record::EventRecord;
use exposition::Exposition;
use meters::Meters;
use portcullis_core::token::NumericDate;
use portcullis_core::{CodeLinks, ConfigErrors};
use portcullis_resource_server::clock::Clock;
use portcullis_resource_server::{EventReport, ResourceServer};
use record::{AuditRecord, Privacy};
use response_record::ResponseRecord;
use std::sync::Arc;

/// Shared by all generations of the settings, so that counts go on through a reload.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) exposition: Exposition,
    pub(crate) meters: Meters,
    pub(crate) audit: Option<Audit>,
    pub(crate) privacy: Privacy,
    /// Whether each response of an upstream has an audit record.
    pub(crate) responses: bool,
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
            privacy: Privacy::read(log)?,
            responses: log.audit_responses,
        })
    }

    /// Writes one decision down, once: as an audit record, or else, if it is a denial, in the log.
    pub(crate) fn record(&self, record: &AuditRecord<'_>, decision: &RouteDecision<'_>) {
        if let Some(audit) = &self.audit {
            audit.write(record);
        }
        if let Err(denial) = &decision.permit {
            denial_log::log(record, denial, self.audit.is_some());
        }
    }

    /// Writes down that a request was let through, and has no answer of the upstream.
    pub(crate) fn record_answer(
        &self,
        now: NumericDate,
        request: AnsweredRequest<'_>,
        refusal: &Refusal,
        links: &CodeLinks,
    ) {
        if let Some(audit) = &self.audit {
            audit.write_answer(&AnswerRecord::new(now, request, refusal, links));
        }
    }

    /// Writes down that a response of an upstream has ended. Only who asked for it gets here: see
    /// [`ResponseWatch::begin`](response_watch::ResponseWatch::begin).
    fn record_response(&self, record: &ResponseRecord<'_>) {
        if let Some(audit) = &self.audit {
            audit.write_response(record);
        }
    }

    /// Writes down what came to a receiver; without a request where it was fetched.
    pub(crate) fn record_events(
        &self,
        now: NumericDate,
        request_id: Option<&str>,
        reports: &[EventReport],
        sender: Option<Caller>,
    ) {
        let Some(audit) = &self.audit else {
            return;
        };
        let peer = sender.filter(|_| self.privacy.peer);
        for report in reports {
            audit.write_event(&EventRecord::new(now, request_id, report, peer));
        }
    }

    /// Writes records of the events that the server fetches: no door answers anybody for them.
    pub(crate) fn observe_events(
        self: &Arc<Self>,
        server: &ResourceServer,
        clock: &Arc<dyn Clock>,
    ) {
        // Without audit records, the server's own log has them.
        if self.audit.is_none() {
            return;
        }
        let (clock, telemetry) = (Arc::clone(clock), Arc::clone(self));
        server.observe_events(move |report| {
            let reports = std::slice::from_ref(report);
            telemetry.record_events(clock.now(), None, reports, None);
        });
    }

    /// Whether a decision has to be written down.
    pub(crate) fn records(&self, decision: &RouteDecision<'_>) -> bool {
        // A permit without audit records leaves no line, so busy gateways build no record for it.
        self.audit.is_some() || decision.permit.is_err()
    }
}
