//! Follows a response of an upstream to its end, for the audit record that is written then.

use super::Telemetry;
use super::response_record::ResponseRecord;
use crate::decision::time::utc;
use http::StatusCode;
use portcullis_resource_server::clock::Clock;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The request of a response, and since when it is under way.
#[derive(Debug)]
pub(crate) struct PassedRequest<'r> {
    pub(crate) id: &'r str,
    pub(crate) trace_id: Option<&'r str>,
    pub(crate) route: &'r str,
    pub(crate) began: Duration,
    /// The end of an answer to HEAD may come later over HTTP/2, and nobody waits for it.
    pub(crate) is_head: bool,
}

/// Follows a response on its way to the client, and writes the record when it is dropped.
pub(crate) struct ResponseWatch {
    telemetry: Arc<Telemetry>,
    clock: Arc<dyn Clock>,
    request_id: String,
    trace_id: Option<String>,
    route: String,
    status: StatusCode,
    began: Duration,
    bytes: Option<u64>,
    complete: bool,
}

impl ResponseWatch {
    /// Begins with no bytes passed on. `None` if no such records are wanted.
    pub(crate) fn begin(
        telemetry: &Arc<Telemetry>,
        clock: &Arc<dyn Clock>,
        request: &PassedRequest<'_>,
        status: StatusCode,
    ) -> Option<Self> {
        // Copies, since the request is gone before its response has ended.
        telemetry.responses.then(|| Self {
            telemetry: Arc::clone(telemetry),
            clock: Arc::clone(clock),
            request_id: request.id.to_owned(),
            trace_id: request.trace_id.map(str::to_owned),
            route: request.route.to_owned(),
            status,
            began: request.began,
            bytes: Some(0),
            complete: request.is_head,
        })
    }

    /// Notes a piece of the content.
    pub(crate) fn note(&mut self, bytes: usize) {
        // A sum that is not counted stays absent, not zero.
        if let Some(sum) = &mut self.bytes {
            *sum = sum.saturating_add(bytes as u64);
        }
    }

    /// Notes that nothing more is to come.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// The same for a connection that passes to another protocol: nobody counts its bytes.
    pub(crate) fn of_tunnel(mut self) -> Self {
        self.bytes = None;
        self.complete = true;
        self
    }
}

impl Drop for ResponseWatch {
    fn drop(&mut self) {
        // Whoever ends a body drops it: the client, the upstream, or the gateway.
        let took = self.clock.elapsed().saturating_sub(self.began);
        self.telemetry.record_response(&ResponseRecord {
            time: utc(self.clock.now()),
            request_id: &self.request_id,
            trace_id: self.trace_id.as_deref(),
            record: "response",
            status: self.status.as_u16(),
            route: &self.route,
            bytes: self.bytes,
            complete: self.complete,
            duration_us: took.as_micros().try_into().unwrap_or(u64::MAX),
        });
    }
}

/// Shows nothing of the request.
impl fmt::Debug for ResponseWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the watch of a response")
    }
}
