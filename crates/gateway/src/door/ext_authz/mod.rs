//! ext_authz: Envoy, or a proxy built on it, holds a request and asks whether it may forward it.
//!
//! By gRPC (`envoy.service.auth.v3.Authorization/Check`) a message describes the request, and the
//! answer names the headers that Envoy sets and removes. By HTTP the question is the request
//! itself, with a prefix before its path, and Envoy copies the headers of the answer. The path
//! tells the two apart: Envoy writes it, and a caller cannot choose it.
//!
//! Every failure of a question is answered as a refusal: an Envoy with `failure_mode_allow` lets
//! the request pass on an error of gRPC, or on a status of 500 and above. Whether it was Envoy that
//! asked is not checked; the listener is for this machine, or for holders of a certificate.

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod grpc;
mod message;
mod reading;

use super::external_auth::{AuthAnswer, authorize, narrow, refuse};
use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::generation::Generation;
use crate::identity::IdentityHeaders;
use crate::refusal::Refusal;
use crate::request::fields;
use crate::request::incoming::IncomingRequest;
use crate::request::peer::Peer;
use crate::request::target::{self, Target};
use crate::request::trace::Trace;
use crate::transport::client_body::ClientBody;
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode};
use message::{
    CheckRequest, CheckResponse, DeniedResponse, HeaderOption, HttpStatus, OkResponse, Status,
};
use portcullis_resource_server::request_id;
use reading::CheckContent;
use std::sync::Arc;

/// The door for Envoy.
#[derive(Clone, Debug)]
pub(crate) struct ExtAuthz(pub(crate) Arc<ArcSwap<Generation>>);

impl Door for ExtAuthz {
    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        request: &Request<ClientBody>,
    ) -> Response<Body> {
        let code = refusal.code();
        let response = refusal.into_response(request_id);
        if grpc::is_check(request) && grpc::fault(request).is_none() {
            return grpc::answer(&deny(&response));
        }
        deny_by_http(response, code).map(Body::from)
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        let generation = self.0.load_full();
        if !grpc::is_check(&request) {
            if let Err(refusal) = target::check_coding(request.headers()) {
                return self.refuse(refusal, &request_id(request.headers()), &request);
            }
            // A call of another gRPC method comes here as well. An answer of gRPC would have the
            // status 200, which the HTTP flavour takes for leave.
            let response = by_http(&generation, peer, request.into_parts().0).await;
            return response.map(Body::from);
        }
        if let Some(fault) = grpc::fault(&request) {
            return Refusal::Original(fault).into_response(&request_id(request.headers()));
        }
        let message = grpc::read(request.into_body()).await;
        grpc::answer(&check(&generation, peer, message).await)
    }
}

async fn check(
    generation: &Generation,
    peer: Peer,
    message: Result<CheckRequest, &'static str>,
) -> CheckResponse {
    let CheckContent {
        headers,
        original,
        source,
        respelled,
    } = match message {
        Ok(message) => CheckContent::read(
            message,
            generation.identity.token_header(),
            &generation.hosts,
        ),
        Err(fault) => CheckContent::unreadable(fault),
    };
    let request_id = request_id(&headers);
    let (method, target) = match original {
        Ok(original) => original,
        Err(refusal) => {
            let (response, _) = refuse(refusal, &request_id);
            return deny(&response);
        }
    };
    let trace = Trace::read(&headers);
    // A message may lack the source. Then only a header of a trusted peer names the caller.
    let caller = match source {
        Some(source) => generation.client_address.caller_from(source, &headers),
        None => generation.client_address.caller_behind(peer, &headers),
    };
    let incoming = IncomingRequest {
        method,
        target,
        headers,
        has_body: false,
        caller,
        id: &request_id,
        trace: trace.as_ref(),
    };
    match authorize(generation, &incoming).await {
        AuthAnswer::Allow(identity) => {
            let to_remove = generation.identity.to_remove(&incoming.headers);
            allow(identity, &to_remove, respelled.as_deref())
        }
        AuthAnswer::Deny(response, _) => deny(&response),
    }
}

/// Leave to forward, with the headers that Envoy sets and removes. The path is set too if it was
/// decided on in another spelling.
fn allow(
    identity: IdentityHeaders,
    to_remove: &[HeaderName],
    respelled: Option<&str>,
) -> CheckResponse {
    let mut remove: Vec<String> = to_remove.iter().map(ToString::to_string).collect();
    let mut headers = Vec::with_capacity(identity.len() + 1);
    if let Some(target) = respelled {
        headers.push(HeaderOption::set(":path", target));
    }
    for (name, value) in identity {
        match value.as_ref().map(HeaderValue::to_str) {
            Some(Ok(value)) => headers.push(HeaderOption::set(name.as_str(), value)),
            _ => remove.push(name.to_string()),
        }
    }
    CheckResponse {
        status: Some(Status::default()),
        ok: Some(OkResponse {
            headers,
            headers_to_remove: remove,
        }),
        denied: None,
    }
}

/// A refusal, with the response that Envoy sends to the client.
fn deny(response: &Response<Bytes>) -> CheckResponse {
    let status = response.status();
    let mut headers = Vec::with_capacity(response.headers().len());
    for (name, value) in response.headers() {
        if let Ok(value) = value.to_str() {
            headers.push(HeaderOption::set(name.as_str(), value));
        }
    }
    let denied = DeniedResponse {
        status: Some(HttpStatus {
            code: i32::from(status.as_u16()),
        }),
        headers,
        body: String::from_utf8_lossy(response.body()).into_owned(),
    };
    let message = status.canonical_reason().unwrap_or_default().to_owned();
    CheckResponse {
        status: Some(Status {
            code: rpc_code(status),
            message,
        }),
        denied: Some(denied),
        ok: None,
    }
}

/// The nearest code of gRPC. It is never the code of success.
fn rpc_code(status: StatusCode) -> i32 {
    const INVALID_ARGUMENT: i32 = 3;
    const PERMISSION_DENIED: i32 = 7;
    const UNAVAILABLE: i32 = 14;
    const UNAUTHENTICATED: i32 = 16;
    match status.as_u16() {
        400 => INVALID_ARGUMENT,
        401 => UNAUTHENTICATED,
        503 => UNAVAILABLE,
        _ => PERMISSION_DENIED,
    }
}

/// Answers the HTTP flavour: the question is the request itself, behind a prefix.
async fn by_http(generation: &Generation, peer: Peer, parts: Parts) -> Response<Bytes> {
    let request_id = request_id(&parts.headers);
    let target = match behind_prefix(generation, &parts) {
        Ok(target) => target,
        Err(refusal) => {
            let (response, code) = refuse(refusal, &request_id);
            return deny_by_http(response, code);
        }
    };
    let mut headers = parts.headers;
    // Envoy joins repeated `Authorization` fields here as well.
    reading::split_joined(&mut headers, generation.identity.token_header());
    let trace = Trace::read(&headers);
    let incoming = IncomingRequest {
        method: parts.method,
        target,
        has_body: false,
        caller: generation.client_address.caller_behind(peer, &headers),
        headers,
        id: &request_id,
        trace: trace.as_ref(),
    };
    match authorize(generation, &incoming).await {
        AuthAnswer::Allow(identity) => {
            let to_remove = generation.identity.to_remove(&incoming.headers);
            allow_by_http(identity, &to_remove)
        }
        AuthAnswer::Deny(response, code) => deny_by_http(response, code),
    }
}

fn allow_by_http(identity: IdentityHeaders, to_remove: &[HeaderName]) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    for (name, value) in identity {
        headers.insert(name, value.unwrap_or(HeaderValue::from_static("")));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let names: Vec<&str> = to_remove.iter().map(HeaderName::as_str).collect();
    fields::set(headers, TO_REMOVE, &names.join(","));
    response
}

fn deny_by_http(mut response: Response<Bytes>, code: &'static str) -> Response<Bytes> {
    // An Envoy with `failure_mode_allow` lets a request pass on 500 and above.
    narrow(&mut response, code, |status| !status.is_server_error());
    response
}

/// Names the headers that Envoy removes from the request.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The target behind the prefix that Envoy puts before every path.
fn behind_prefix(generation: &Generation, parts: &Parts) -> Result<Target, Refusal> {
    // Without a prefix, a caller's own path could be the one of the gRPC method.
    let Some(prefix) = &generation.ext_authz.path_prefix else {
        return Err(Refusal::Original(
            "a question by HTTP, and no `ext_authz.path_prefix`",
        ));
    };
    let host = target::host(parts)?;
    let written = parts.uri.path_and_query().map(PathAndQuery::as_str);
    let behind = written.unwrap_or_default().strip_prefix(prefix.as_str());
    // `/checkadmin` is not `/admin` behind `/check`.
    let Some(target) = behind.filter(|target| target.starts_with('/')) else {
        let fault = "a path without `ext_authz.path_prefix` before it";
        return Err(Refusal::Original(fault));
    };
    Target::parse(&parts.method, host.authority(), target, &generation.hosts)
}
