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

mod certificate;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod grpc;
mod message;
mod reading;

use super::cors::CorsMark;
use super::external_auth::{AuthAnswer, authorize, metadata, narrow, refuse};
use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::generation::Generation;
use crate::identity::IdentityHeaders;
use crate::refusal::Refusal;
use crate::request::caller::{Caller, forwarded_scheme};
use crate::request::certificate::FieldJoining;
use crate::request::fields;
use crate::request::incoming::IncomingRequest;
use crate::request::peer::Peer;
use crate::request::target::{self, Target};
use crate::request::trace::Trace;
use crate::transport::client_body::ClientBody;
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, VARY};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode};
use message::{
    CheckRequest, CheckResponse, DeniedResponse, HeaderOption, HttpStatus, OkResponse, Status,
};
use portcullis_core::CodeLinks;
use portcullis_resource_server::request_id;
use reading::CheckContent;
use std::net::IpAddr;
use std::sync::Arc;

/// The door for Envoy.
#[derive(Clone, Debug)]
pub(crate) struct ExtAuthz(pub(crate) Arc<ArcSwap<Generation>>);

impl Door for ExtAuthz {
    fn code_links(&self) -> CodeLinks {
        self.0.load_full().policy.server.code_links().clone()
    }

    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        request: &Request<ClientBody>,
    ) -> Response<Body> {
        let code = refusal.code();
        let response = refusal.into_response(request_id, &self.code_links());
        // The page is named in the message, which is not read here, so this answer has no mark.
        if grpc::is_check(request) && grpc::fault(request).is_none() {
            return grpc::answer(&deny(&response));
        }
        let mut response = deny_by_http(response, code);
        let generation = self.0.load_full();
        CorsMark::without_route(&generation, request.headers()).add(response.headers_mut());
        response.map(Body::from)
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        let generation = self.0.load_full();
        if !grpc::is_check(&request) {
            if let Err(refusal) = target::check_coding(request.headers()) {
                return self.refuse(refusal, &request_id(request.headers()), &request);
            }
            if !is_question(&generation, request.uri().path())
                && let Some(document) = metadata(&generation, &request)
            {
                return document.map(Body::from);
            }
            // A call of another gRPC method comes here as well. An answer of gRPC would have the
            // status 200, which the HTTP flavour takes for leave.
            let response = by_http(&generation, peer, request.into_parts().0).await;
            return response.map(Body::from);
        }
        if let Some(fault) = grpc::fault(&request) {
            let links = generation.policy.server.code_links();
            return Refusal::Original(fault).into_response(&request_id(request.headers()), links);
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
        certificate,
        joining,
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
            let (mut response, _) = refuse(refusal, &request_id, generation);
            CorsMark::without_route(generation, &headers).add(response.headers_mut());
            return deny(&response);
        }
    };
    let trace = Trace::read(&headers);
    let caller = caller(generation, peer, source, &headers);
    let certificate = certificate::of_client(generation, &headers, source, certificate, joining);
    let incoming = IncomingRequest {
        method,
        target,
        headers,
        has_body: false,
        caller,
        certificate,
        id: &request_id,
        trace: trace.as_ref(),
    };
    let mark = CorsMark::by_route(generation, &incoming);
    match authorize(generation, &incoming, &mark).await {
        AuthAnswer::Allow(identity) => {
            let to_remove = generation.identity.to_remove(&incoming.headers);
            let mut told = HeaderMap::new();
            // For the upstream's response, which Envoy never shows to the gateway.
            mark.add(&mut told);
            allow(identity, &to_remove, respelled.as_deref(), &told)
        }
        AuthAnswer::Deny(mut response, _) => {
            mark.add(response.headers_mut());
            deny(&response)
        }
    }
}

/// The caller of a request that came to Envoy from `source`.
fn caller(
    generation: &Generation,
    peer: Peer,
    source: Option<IpAddr>,
    headers: &HeaderMap,
) -> Caller {
    let callers = &generation.client_address;
    // A message may lack the source. Then only a header of a trusted peer names the caller.
    match source {
        Some(source) => callers.caller_from(source, headers),
        None => callers.caller_behind(peer, headers),
    }
}

/// Leave to forward, with the headers that Envoy sets and removes. The path is set too if it was
/// decided on in another spelling.
fn allow(
    identity: IdentityHeaders,
    to_remove: &[HeaderName],
    respelled: Option<&str>,
    told: &HeaderMap,
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
            response_headers: header_options(told),
        }),
        denied: None,
    }
}

/// The fields of a response that Envoy sends. `Vary` stands beside that of others.
fn header_options(headers: &HeaderMap) -> Vec<HeaderOption> {
    let mut options = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            options.push(match name {
                &VARY => HeaderOption::append(name.as_str(), value),
                name => HeaderOption::set(name.as_str(), value),
            });
        }
    }
    options
}

/// A refusal, with the response that Envoy sends to the client.
fn deny(response: &Response<Bytes>) -> CheckResponse {
    let status = response.status();
    let headers = header_options(response.headers());
    let denied = DeniedResponse {
        status: Some(HttpStatus {
            code: i32::from(status.as_u16()),
        }),
        headers,
        body: String::from_utf8_lossy(response.body()).into_owned(),
    };
    let message = status
        .canonical_reason()
        .unwrap_or_default()
        .to_owned();
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
            let (mut response, code) = refuse(refusal, &request_id, generation);
            CorsMark::without_route(generation, &parts.headers).add(response.headers_mut());
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
        // Envoy's connection is unknown here, so only what Envoy itself writes counts.
        certificate: certificate::of_client(generation, &headers, None, None, FieldJoining::Never),
        headers,
        id: &request_id,
        trace: trace.as_ref(),
    };
    let mark = CorsMark::by_route(generation, &incoming);
    let mut response = match authorize(generation, &incoming, &mark).await {
        AuthAnswer::Allow(identity) => {
            let to_remove = generation.identity.to_remove(&incoming.headers);
            allow_by_http(identity, &to_remove)
        }
        AuthAnswer::Deny(response, code) => deny_by_http(response, code),
    };
    mark.add(response.headers_mut());
    response
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

/// Whether a path is the one of a question by HTTP.
fn is_question(generation: &Generation, path: &str) -> bool {
    let prefix = &generation.ext_authz.path_prefix;
    prefix
        .as_ref()
        .is_some_and(|prefix| path.starts_with(prefix.as_str()))
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
    let behind = written
        .unwrap_or_default()
        .strip_prefix(prefix.as_str());
    // `/checkadmin` is not `/admin` behind `/check`.
    let Some(target) = behind.filter(|target| target.starts_with('/')) else {
        let fault = "a path without `ext_authz.path_prefix` before it";
        return Err(Refusal::Original(fault));
    };
    let target = Target::parse(&parts.method, host.authority(), target, &generation.hosts)?;
    // Envoy sets it, and overwrites what a client says there.
    Ok(target.over(forwarded_scheme(&parts.headers)))
}
