//! Counters for each bound: how often it was reached.

use super::events;
use crate::refusal::Refusal;
use crate::transport::life::Cause;
use metrics::{Counter, Recorder};
use portcullis_resource_server::events::Metric;

/// One counter for each bound.
pub(crate) struct BoundMeters {
    /// Connections beyond the bound of their address.
    pub(crate) caller_connections: Counter,
    pub(crate) abuses: Counter,
    /// Responses that the client did not read.
    pub(crate) readers: Counter,
    idle: Counter,
    life: Counter,
    requests: Counter,
    caller_requests: Counter,
    upstream_requests: Counter,
    fields: Counter,
    body: Counter,
}

impl BoundMeters {
    pub(super) fn new(recorder: &dyn Recorder) -> Self {
        // All from the start, at zero: a rate over a series that appears late misses its first
        // event.
        let count = |metric: &Metric, label| metric.count(recorder, &[label]);
        Self {
            caller_connections: count(&events::CLOSED_CONNECTIONS, "caller"),
            abuses: count(&events::CLOSED_CONNECTIONS, "abuse"),
            readers: count(&events::ENDED_STREAMS, "reader"),
            idle: count(&events::ENDED_STREAMS, "idle"),
            life: count(&events::ENDED_STREAMS, "life"),
            requests: count(&events::OUT_OF_BOUNDS, "requests"),
            caller_requests: count(&events::OUT_OF_BOUNDS, "caller"),
            upstream_requests: count(&events::OUT_OF_BOUNDS, "upstream"),
            fields: count(&events::OUT_OF_BOUNDS, "fields"),
            body: count(&events::OUT_OF_BOUNDS, "body"),
        }
    }

    /// Counts a refusal, if it is for a bound.
    pub(crate) fn count_refusal(&self, refusal: &Refusal) {
        let counter = match refusal {
            Refusal::Busy => &self.requests,
            Refusal::CallerBusy => &self.caller_requests,
            Refusal::UpstreamBusy(_) => &self.upstream_requests,
            Refusal::TooManyFields(_) => &self.fields,
            Refusal::BodyTooSlow => &self.body,
            _ => return,
        };
        counter.increment(1);
    }

    /// Counts the end of a stream, if it is for a bound.
    pub(crate) fn count_ending(&self, cause: Cause) {
        match cause {
            Cause::Idle => self.idle.increment(1),
            Cause::Old => self.life.increment(1),
            Cause::Token(_) | Cause::Stopping => {}
        }
    }
}
