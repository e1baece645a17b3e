//! Counters for each bound: how often it was met.

use super::events;
use crate::refusal::Refusal;
use crate::transport::life::Cause;
use metrics::{Counter, Recorder};

/// One counter for each bound.
pub(crate) struct BoundMeters {
    /// Connections beyond the bound of their address.
    pub(crate) caller_connections: Counter,
    pub(crate) abuses: Counter,
    /// Answers that the client did not read.
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
        let closed = |cause| events::CLOSED_CONNECTIONS.count(recorder, &[cause]);
        let ended = |cause| events::ENDED_STREAMS.count(recorder, &[cause]);
        let refused = |bound| events::OUT_OF_BOUNDS.count(recorder, &[bound]);
        Self {
            caller_connections: closed("caller"),
            abuses: closed("abuse"),
            readers: ended("reader"),
            idle: ended("idle"),
            life: ended("life"),
            requests: refused("requests"),
            caller_requests: refused("caller"),
            upstream_requests: refused("upstream"),
            fields: refused("fields"),
            body: refused("body"),
        }
    }

    /// Counts a refusal, if it is for a bound.
    pub(crate) fn refused(&self, refusal: &Refusal) {
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
    pub(crate) fn ended(&self, cause: Cause) {
        match cause {
            Cause::Idle => self.idle.increment(1),
            Cause::Old => self.life.increment(1),
            Cause::Expired | Cause::Revoked | Cause::Distrusted | Cause::Stopping => {}
        }
    }
}
