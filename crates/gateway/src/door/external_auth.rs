//! The part that forward-auth and ext_authz share: another proxy asks about a request that it
//! holds.
//!
//! That proxy forwards the request itself, so nothing can be cleaned here. The answer names the
//! headers that it has to set and to remove.

use super::cors::{CorsMark, PREFLIGHT};
use super::request_error::RequestError;
use crate::decision::policy::RouteDecision;
use crate::generation::Generation;
use crate::identity::IdentityHeaders;
use crate::refusal::Refusal;
use crate::request::incoming::IncomingRequest;
use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Request, Response, StatusCode};

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

/// Headers by which proxies describe a request that they hold.
const QUESTION: [&str; 5] = [
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-forwarded-method",
    "x-forwarded-uri",
];

/// The metadata of a resource, where the proxy does not ask but passes on a client's own request
/// for it.
pub(super) fn metadata<B>(
    generation: &Generation,
    request: &Request<B>,
) -> Option<Response<Bytes>> {
    let headers = request.headers();
    // Success is leave to forward for a proxy that asks, so a question never gets this answer.
    if QUESTION.iter().any(|name| headers.contains_key(*name)) {
        return None;
    }
    let named = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = named.or_else(|| request.uri().authority().map(Authority::as_str));
    let path = request.uri().path();
    generation
        .documents
        .answer(request.method(), authority, path)
}

/// Authorizes a request that another proxy holds.
pub(super) async fn authorize(
    generation: &Generation,
    request: &IncomingRequest<'_>,
    mark: &CorsMark<'_>,
) -> AuthAnswer {
    // A refusal for the proxy, which so does not forward it, and the answer for the page.
    if let Some(preflight) = mark.answer_preflight(request) {
        return AuthAnswer::Deny(preflight, PREFLIGHT);
    }
    match identity_headers(generation, request).await {
        Ok(headers) => AuthAnswer::Allow(headers),
        Err(RequestError::Refusal(refusal)) => {
            let (response, code) = refuse(refusal, request.id, generation);
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
    generation
        .identity
        .refuse_named_away(&request.headers)?;
    let RouteDecision { route, permit, .. } = generation.authorize_for_proxy(request).await?;
    // As in the proxy: no identity header is written without a permit.
    let permit = permit?;
    let context = generation.assertion_context(route);
    let mut headers = generation.identity.headers(permit.token(), context)?;
    headers.extend(generation.identity.cookies_left(&request.headers));
    Ok(headers)
}

/// The response for a request that is refused without a decision, and its code.
pub(super) fn refuse(
    refusal: Refusal,
    request_id: &str,
    generation: &Generation,
) -> (Response<Bytes>, &'static str) {
    let code = refusal.code();
    let links = generation.policy.server.code_links();
    let mut response = refusal.into_response(request_id, links);
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
    // To a proxy that asks, success is leave to forward.
    if status.is_success() || !is_passed_on(status) {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_be_passed_on_stays_a_refusal() {
        for (status, told) in [
            (401, 401),
            (403, 403),
            (400, 403),
            (503, 403),
            (421, 403),
            (204, 403),
        ] {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            narrow(&mut response, "some.code", |status| {
                matches!(status.as_u16(), 204 | 401 | 403)
            });
            assert_eq!(response.status().as_u16(), told);
            assert_eq!(response.headers()[STATUS], status.to_string());
            assert_eq!(response.headers()[CODE], "some.code");
        }
    }
}
