//! The part that forward-auth and ext_authz share: another proxy asks about a request that it
//! holds.
//!
//! That proxy forwards the request itself, so nothing can be cleaned here. The answer names the
//! headers that it has to set and to remove.

use super::request_error::RequestError;
use crate::decision::policy::RouteDecision;
use crate::generation::Generation;
use crate::identity::IdentityHeaders;
use crate::refusal::Refusal;
use crate::request::incoming::IncomingRequest;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// The answer to a proxy that asks whether it may forward a request.
#[derive(Debug)]
pub(super) enum AuthAnswer {
    /// It may, with these headers.
    Allow(IdentityHeaders),
    /// It may not: the response for the client, and its code.
    Deny(Response<Bytes>, &'static str),
}

/// The status of a refusal that a proxy does not pass on.
pub(super) const STATUS: HeaderName = HeaderName::from_static("x-portcullis-status");
/// The code of a refusal whose body a proxy does not pass on.
pub(super) const CODE: HeaderName = HeaderName::from_static("x-portcullis-code");

/// Authorizes a request that another proxy holds.
pub(super) async fn authorize(
    generation: &Generation,
    request: &IncomingRequest<'_>,
) -> AuthAnswer {
    match identity_headers(generation, request).await {
        Ok(headers) => AuthAnswer::Allow(headers),
        Err(RequestError::Refusal(refusal)) => {
            let (response, code) = refuse(refusal, request.id);
            AuthAnswer::Deny(response, code)
        }
        Err(error @ RequestError::Denial(_)) => {
            let (code, server) = (error.code(), &generation.policy.server);
            AuthAnswer::Deny(error.into_response(server, request.id.to_owned()), code)
        }
    }
}

/// The headers for the upstream, if the request may pass.
async fn identity_headers(
    generation: &Generation,
    request: &IncomingRequest<'_>,
) -> Result<IdentityHeaders, RequestError> {
    // The proxy handles `Connection` only after the answer, and would drop our headers again.
    generation.identity.refuse_named_away(&request.headers)?;
    let RouteDecision { route, permit, .. } = generation.authorize_for_proxy(request).await?;
    // As in the proxy: no identity header is written without a permit.
    let permit = permit?;
    let context = generation.assertion_context(route);
    let mut headers = generation.identity.headers(permit.token(), context)?;
    headers.extend(generation.identity.cookies_left(&request.headers));
    Ok(headers)
}

/// The response for a request that is refused without a decision, and its code.
pub(super) fn refuse(refusal: Refusal, request_id: &str) -> (Response<Bytes>, &'static str) {
    let code = refusal.code();
    let mut response = refusal.into_response(request_id);
    // The connection belongs to the proxy that asks, and other clients share it.
    response.headers_mut().remove(CONNECTION);
    (response, code)
}

/// Turns a refusal into 403 if the proxy would take its status for a failure of the gateway, and
/// might let the request pass. Headers keep the status and the code.
pub(super) fn narrow(
    response: &mut Response<Bytes>,
    code: &'static str,
    is_passed_on: impl Fn(StatusCode) -> bool,
) {
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(STATUS, HeaderValue::from(status.as_u16()));
    headers.insert(CODE, HeaderValue::from_static(code));
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
