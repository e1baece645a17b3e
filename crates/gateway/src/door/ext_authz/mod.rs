//! ext_authz: Envoy, and what is built on it, holds a request and asks whether it may forward it.
//!
//! By gRPC (`envoy.service.auth.v3.Authorization/Check`) the request is told in a message, and the
//! answer says which headers Envoy sets and which it removes. By HTTP it is the request itself,
//! with a prefix before its path, and the answer's headers are for Envoy to copy. The two are told
//! apart by the path, which Envoy writes, and by nothing that its caller can choose.
//!
//! Whatever goes wrong with a question is told as a refusal: an error of gRPC, or a status of 500
//! and above, would be let through by an Envoy with `failure_mode_allow`. Not checked is whether it
//! was Envoy that asked; the listener is for this machine, or for those who show a certificate.

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
use http::{Request, Response, StatusCode};
use message::{CheckRequest, CheckResponse, Denied, HeaderOption, HttpStatus, Okay, Status};
use portcullis_resource_server::request_id;
use reading::Told;
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
        let mut response = refusal.into_response(request_id);
        if grpc::is_check(request) && grpc::fault(request).is_none() {
            return grpc::answer(&deny(&response));
        }
        narrow(&mut response, code, |status| !status.is_server_error());
        response.map(Body::from)
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        let generation = self.0.load_full();
        if !grpc::is_check(&request) {
            if let Err(refusal) = target::check_coding(request.headers()) {
                return self.refuse(refusal, &request_id(request.headers()), &request);
            }
            // A call of another method comes here as well: an answer of gRPC has the status 200,
            // which the HTTP flavour takes for leave.
            return by_http(&generation, peer, request.into_parts().0)
                .await
                .map(Body::from);
        }
        match grpc::fault(&request) {
            Some(fault) => Refusal::Original(fault).into_response(&request_id(request.headers())),
            None => {
                grpc::answer(&check(&generation, peer, grpc::read(request.into_body()).await).await)
            }
        }
    }
}

async fn check(
    generation: &Generation,
    peer: Peer,
    message: Result<CheckRequest, &'static str>,
) -> CheckResponse {
    let Told {
        headers,
        original,
        source,
        respelled,
    } = match message {
        Ok(message) => Told::read(
            message,
            generation.identity.token_header(),
            &generation.hosts,
        ),
        Err(fault) => Told::nothing(Refusal::Original(fault)),
    };
    let request_id = request_id(&headers);
    let (method, target) = match original {
        Ok(original) => original,
        Err(refusal) => return deny(&refuse(refusal, &request_id).0),
    };
    let trace = Trace::read(&headers);
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
        AuthAnswer::Allow(identity) => allow(
            identity,
            &generation.identity.to_remove(&incoming.headers),
            respelled.as_deref(),
        ),
        AuthAnswer::Deny(response, _) => deny(&response),
    }
}

/// Leave: what Envoy sets and what it removes; the path too, where it was decided on in another
/// spelling.
fn allow(
    identity: IdentityHeaders,
    to_remove: &[HeaderName],
    respelled: Option<&str>,
) -> CheckResponse {
    let mut remove: Vec<String> = to_remove.iter().map(ToString::to_string).collect();
    let mut headers: Vec<HeaderOption> = respelled
        .map(|target| HeaderOption::set(":path", target))
        .into_iter()
        .collect();
    for (name, value) in identity {
        match value.as_ref().and_then(|value| value.to_str().ok()) {
            Some(value) => headers.push(HeaderOption::set(name.as_str(), value)),
            None => remove.push(name.to_string()),
        }
    }
    CheckResponse {
        status: Some(Status::default()),
        ok: Some(Okay {
            headers,
            headers_to_remove: remove,
        }),
        denied: None,
    }
}

fn deny(response: &Response<Bytes>) -> CheckResponse {
    let status = response.status();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some(HeaderOption::set(name.as_str(), value.to_str().ok()?)));
    let denied = Denied {
        status: Some(HttpStatus {
            code: i32::from(status.as_u16()),
        }),
        headers: headers.collect(),
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

/// The nearest code of gRPC. It is never that of success.
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

/// The other flavour: what is asked about is the request itself, behind a prefix.
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
    narrow(&mut response, code, |status| !status.is_server_error());
    response
}

/// Envoy takes the names in it from the request.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

fn behind_prefix(generation: &Generation, parts: &Parts) -> Result<Target, Refusal> {
    let Some(prefix) = &generation.ext_authz.path_prefix else {
        return Err(Refusal::Original(
            "a question by HTTP, and no `ext_authz.path_prefix`",
        ));
    };
    let host = target::host(parts)?;
    let target = parts
        .uri
        .path_and_query()
        .map(|target| target.as_str())
        .unwrap_or_default();
    let target = target
        .strip_prefix(prefix.as_str())
        .filter(|target| target.starts_with('/'));
    let target = target.ok_or(Refusal::Original(
        "a path without `ext_authz.path_prefix` before it",
    ))?;
    Target::parse(&parts.method, host.authority(), target, &generation.hosts)
}
