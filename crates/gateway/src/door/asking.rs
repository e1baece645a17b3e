//! What the doors have in common that other proxies ask at: leave, with what the upstream is to be
//! told, or the answer for the client.
//!
//! The one that asks forwards the request by itself, so nothing can be cleaned here: the answer
//! says what has to be set and what has to go.

use crate::decision::policy::{Inquiry, Verdict};
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::target::Asked;
use crate::telemetry::record::Named;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use portcullis_resource_server::Refused;

/// A request that somebody else holds: its method, and what it asks for.
#[derive(Debug)]
pub(super) struct Original {
    pub(super) method: Method,
    pub(super) asked: Asked,
}

/// What identity headers say; `None` where the header must not be there.
pub(super) type Identity = Vec<(HeaderName, Option<HeaderValue>)>;

/// What is told to the one that asks.
#[derive(Debug)]
pub(super) enum Answer {
    Pass(Identity),
    Refuse(Response<Bytes>, &'static str),
}

/// What statuses other than 401 and 403 are told as, where they are not passed on.
pub(super) const STATUS: HeaderName = HeaderName::from_static("x-portcullis-status");
/// The code of a refusal, where the body is not passed on.
pub(super) const CODE: HeaderName = HeaderName::from_static("x-portcullis-code");

/// Decides about a request with these headers, or says why it cannot be read.
pub(super) async fn judge(
    generation: &Generation,
    original: Result<Original, Refusal>,
    headers: &HeaderMap,
    named: Named<'_>,
) -> Answer {
    let request_id = named.request_id;
    let original =
        original.and_then(|it| generation.identity.refuse_named_away(headers).map(|()| it));
    let Original { method, asked } = match original {
        Ok(original) => original,
        Err(refusal) => return Answer::refuse(refusal, request_id),
    };
    let inquiry = Inquiry {
        method: &method,
        host: &asked.host,
        path: &asked.path,
        query: asked.query.as_deref(),
        headers,
        // The body is with the one that asks: all that is known of it is what the head announces.
        has_body: false,
    };
    let Verdict { passage, route, .. } = match generation.decide_for(inquiry, named).await {
        Ok(verdict) => verdict,
        Err(refusal) => return Answer::refuse(refusal, request_id),
    };
    match passage.map(|passage| {
        generation
            .identity
            .told(passage.token(), generation.addressed(route))
    }) {
        Ok(Ok(mut identity)) => {
            identity.extend(generation.identity.cookies_left(headers));
            Answer::Pass(identity)
        }
        Ok(Err(refusal)) => Answer::refuse(refusal, request_id),
        Err(denial) => {
            let code = denial.code();
            let refused = Refused::named(denial, &generation.policy.server, request_id.to_owned());
            Answer::Refuse(refused.into_response(), code)
        }
    }
}

impl Answer {
    /// Why a request is not even decided about.
    pub(super) fn refuse(refusal: Refusal, request_id: &str) -> Self {
        let code = refusal.code();
        let mut response = refusal.into_response(request_id);
        // The connection is with the one that asks, and others share it.
        response.headers_mut().remove(CONNECTION);
        Self::Refuse(response, code)
    }
}

/// Tells a refusal as 403 if the one that asks would take its status for a fault of ours, which it
/// might let pass. What it was is told in headers.
pub(super) fn narrow(
    response: &mut Response<Bytes>,
    code: &'static str,
    is_passed_on: impl Fn(StatusCode) -> bool,
) {
    let status = response.status();
    response
        .headers_mut()
        .insert(STATUS, HeaderValue::from(status.as_u16()));
    response
        .headers_mut()
        .insert(CODE, HeaderValue::from_static(code));
    if !is_passed_on(status) {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_be_passed_on_stays_a_refusal() {
        for (status, told) in [(401, 401), (403, 403), (400, 403), (503, 403), (421, 403)] {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            narrow(&mut response, "some.code", |status| {
                matches!(status.as_u16(), 401 | 403)
            });
            assert_eq!(response.status().as_u16(), told);
            assert_eq!(response.headers()[STATUS], status.to_string());
            assert_eq!(response.headers()[CODE], "some.code");
        }
    }
}
