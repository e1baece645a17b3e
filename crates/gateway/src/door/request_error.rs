//! The two ways in which a door does not forward a request.

use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::trace::Trace;
use crate::telemetry::answer_record::AnsweredRequest;
use bytes::Bytes;
use http::Response;
use portcullis_core::Denial;
use portcullis_resource_server::{DenialResponse, ResourceServer};

/// Why a request is not forwarded.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The gateway itself refuses it.
    Refusal(Refusal),
    /// The resource server denies it.
    Denial(Denial),
}

impl RequestError {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refusal(refusal) => refusal.code(),
            Self::Denial(denial) => denial.code(),
        }
    }

    /// Counts a refusal of the gateway. A request that was let through before, by this route, has a
    /// second audit record then.
    pub(crate) fn record(
        &self,
        generation: &Generation,
        route: Option<&str>,
        id: &str,
        trace: Option<&Trace>,
    ) {
        // A denial was recorded when it was decided.
        let Self::Refusal(refusal) = self else { return };
        let telemetry = &generation.telemetry;
        telemetry.meters.bounds.count_refusal(refusal);
        let Some(route) = route else { return };
        let trace_id = trace.map(Trace::id);
        let request = AnsweredRequest {
            id,
            trace_id,
            route,
        };
        let links = generation.policy.server.code_links();
        let now = generation.clock.now();
        telemetry.record_answer(now, request, refusal, links);
    }

    /// The answer, and a line in the log if the gateway itself refuses. A denial was recorded when
    /// it was decided.
    pub(crate) fn into_response<B: From<Bytes>>(
        self,
        server: &ResourceServer,
        request_id: String,
    ) -> Response<B> {
        match self {
            Self::Refusal(refusal) => refusal.into_response(&request_id, server.code_links()),
            Self::Denial(denial) => {
                DenialResponse::without_log(denial, server, request_id).into_response()
            }
        }
    }
}

impl From<Refusal> for RequestError {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Denial> for RequestError {
    fn from(denial: Denial) -> Self {
        Self::Denial(denial)
    }
}
