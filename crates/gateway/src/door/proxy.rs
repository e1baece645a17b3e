//! The reverse proxy. [`Exchange::forward`] is the way of one request, step by step: it is read,
//! authorized, cleaned and sent on, and its answer is passed back.

use super::interface::Door;
use super::request_error::RequestError;
use super::websocket::Handshake;
use crate::decision::policy::{ForwardPermit, RouteDecision};
use crate::decision::routes::Route;
use crate::forward::body::{Body, Ending, StreamBody};
use crate::forward::headers;
use crate::forward::request_body::RequestBody;
use crate::forward::upstream::{InFlightGuard, Upstream, UpstreamBody, UpstreamRequest};
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::request::fields::{self, Values};
use crate::request::incoming::IncomingRequest;
use crate::request::peer::Peer;
use crate::request::target::Target;
use crate::request::trace::Trace;
use crate::settings::StreamSettings;
use crate::telemetry::{Telemetry, events};
use crate::transport::client_body::ClientBody;
use crate::transport::life::{Cause, End, Traffic, no_longer_good};
use crate::transport::pace::Pace;
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::Body as _;
use portcullis_resource_server::request_id;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tracing::{Instrument as _, field};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Stands for all callers whose address is unknown: together they have the bounds of one.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The reverse proxy as a door.
#[derive(Clone, Debug)]
pub(crate) struct Proxy(pub(crate) Arc<ArcSwap<Generation>>);

impl Door for Proxy {
    fn caller(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        let caller = self.0.load_full().client_address.caller(peer, headers);
        Some(match caller {
            Caller::Direct(address) => address,
            // Loopback has no bound, so a client that makes a proxy name it must not get there.
            Caller::Named(address) if !address.to_canonical().is_loopback() => address,
            Caller::Named(_) | Caller::Unknown => UNKNOWN,
        })
    }

    fn speaks_for_others(&self, peer: Peer) -> bool {
        self.0.load_full().client_address.is_trusted(peer)
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        answer(&self.0.load_full(), peer, request).await
    }
}

/// Answers a request with the upstream's answer, or with a refusal.
async fn answer(
    generation: &Generation,
    peer: Peer,
    request: Request<ClientBody>,
) -> Response<Body> {
    let began = generation.clock.elapsed();
    let trace = match Trace::read(request.headers()) {
        None if generation.begin_traces => Some(Trace::begin()),
        read => read,
    };
    let exchange = Exchange {
        generation,
        peer,
        id: request_id(request.headers()),
        trace,
        route: None,
    };
    let span = tracing::debug_span!(
        events::REQUEST,
        request_id = exchange.id,
        trace_id = exchange.trace.as_ref().map(Trace::id),
        method = %request.method(),
        route = field::Empty,
        status = field::Empty,
    );
    let (route, response) = exchange.answer(request).instrument(span.clone()).await;
    span.record("route", route)
        .record("status", response.status().as_u16());
    let Telemetry {
        exposition, meters, ..
    } = &*generation.telemetry;
    let took = generation.clock.elapsed().saturating_sub(began);
    meters.count_response(exposition, route, response.status(), took);
    response
}

/// One request and its response.
struct Exchange<'g> {
    generation: &'g Generation,
    peer: Peer,
    /// The name of the request in the log, the audit record and the response.
    id: String,
    trace: Option<Trace>,
    /// The name of the matched route, once there is one.
    route: Option<&'g str>,
}

impl<'g> Exchange<'g> {
    /// The response, and the route that it came by.
    async fn answer(mut self, request: Request<ClientBody>) -> (Option<&'g str>, Response<Body>) {
        let response = match self.forward(request).await {
            Ok(response) => response,
            Err(error) => {
                if let RequestError::Refusal(refusal) = &error {
                    self.generation
                        .telemetry
                        .meters
                        .bounds
                        .count_refusal(refusal);
                }
                error.into_response(&self.generation.policy.server, self.id)
            }
        };
        (self.route, response)
    }

    /// Forwards a request: every step, in order. Each type is made only by the step before it.
    async fn forward(
        &mut self,
        request: Request<ClientBody>,
    ) -> Result<Response<Body>, RequestError> {
        let generation = self.generation;
        let (mut parts, body) = request.into_parts();
        // A request that two servers could read differently ends here.
        let target = Target::read(&parts, &generation.hosts)?;
        // The gateway's own keys are public, so they need no decision.
        if let Some(assertions) = generation.identity.assertions()
            && let Some(keys) = assertions.published_keys(&parts.method, target.path.as_str())
        {
            return Ok(keys.map(Body::from));
        }
        // Before the decision: the token may be among the subprotocols.
        let handshake = Handshake::take(&mut parts);
        let Parts {
            method,
            version,
            headers,
            ..
        } = parts;
        let mut incoming = IncomingRequest {
            method,
            target,
            has_body: !body.is_end_stream(),
            caller: generation.client_address.caller(self.peer, &headers),
            headers,
            id: &self.id,
            trace: self.trace.as_ref(),
        };
        let RouteDecision { route, permit, .. } = generation.authorize(&incoming).await?;
        self.route = Some(&route.name);
        // Nothing below can be called without a permit.
        let permit = permit?;
        let upstream = generation.upstream(route)?;
        let traffic = Traffic::default();
        let body = self.body(&incoming, body, route, upstream, &permit, &traffic)?;
        self.rewrite_headers(&mut incoming, version, route, &permit)?;
        if let Some(handshake) = &handshake {
            handshake.ask(&mut incoming.headers);
        }
        let upgrade = handshake.is_some();
        let base_path = upstream.base_path();
        let request = UpstreamRequest::new(&permit, incoming, route, base_path, body, upgrade)?;
        let span = tracing::debug_span!(
            events::UPSTREAM,
            upstream = upstream.name(),
            request_id = self.id
        );
        let (response, under_way) = upstream.send(request).instrument(span).await?;
        // 101 is an answer to a handshake only: without one, the upstream is broken.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self.switch(response, under_way, handshake, traffic, &permit)?);
        }
        Ok(self.pass_back(response, under_way, traffic, &permit))
    }

    /// The body to forward, if what it says of its size is within bounds.
    fn body(
        &self,
        request: &IncomingRequest<'_>,
        body: ClientBody,
        route: &Route,
        upstream: &Upstream,
        permit: &ForwardPermit,
        traffic: &Traffic,
    ) -> Result<RequestBody, Refusal> {
        if !request.has_body {
            return Ok(RequestBody::empty());
        }
        let most = route.body_bytes;
        // A body without `Content-Length` is counted on its way instead.
        if most.is_some_and(|most| body.size_hint().lower() > most) {
            return Err(Refusal::BodyTooLarge);
        }
        let streams = &self.generation.streams;
        // A gRPC stream may be silent for long. Over HTTP/1.1 no server answers before its end.
        let pace = if upstream.is_http2() && ending(&request.headers) == Some(Ending::Grpc) {
            let longest = streams.life.filter(|_| permit.token().is_none());
            Pace::of_stream(streams, traffic.clone(), longest)
        } else {
            Pace::new(streams, traffic.clone())
        };
        let identity = Arc::clone(&self.generation.identity);
        Ok(RequestBody::new(body, most, pace, identity))
    }

    /// Strips what a client must not send, then adds the gateway's own headers.
    fn rewrite_headers(
        &self,
        request: &mut IncomingRequest<'_>,
        version: Version,
        route: &Route,
        permit: &ForwardPermit,
    ) -> Result<(), Refusal> {
        let Generation {
            client_address,
            identity,
            ..
        } = self.generation;
        // Read first: `strip_request` removes the headers that list the proxies.
        let before = client_address.forwarded_for(self.peer, &request.headers);
        let headers = &mut request.headers;
        // Headers of the gateway come after, or `Connection` could name them away.
        headers::strip_request(headers, identity);
        // HTTP/2 splits the field; HTTP/1.1 allows one only (RFC 9113, section 8.2.3).
        if version == Version::HTTP_2 {
            headers::join_cookies(headers);
        }
        let mut values = Values::new();
        headers::add_forwarded(
            headers,
            self.peer,
            &request.target.host,
            &before,
            &mut values,
        );
        if let Some(prefix) = route.stripped_prefix(&request.target) {
            values.push(prefix);
            values.set(headers, FORWARDED_PREFIX);
        }
        headers::add_via(headers, version);
        values.push(&self.id);
        values.set(headers, REQUEST_ID);
        Trace::write(self.trace.as_ref(), headers);
        let Some(token) = permit.token() else {
            return Ok(());
        };
        let context = self.generation.assertion_context(route);
        identity.add(headers, token, context, &mut values)
    }

    fn pass_back(
        &self,
        response: Response<UpstreamBody>,
        under_way: InFlightGuard,
        traffic: Traffic,
        permit: &ForwardPermit,
    ) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        // The connection's own version, and not the upstream's (RFC 9110, section 2.5).
        parts.version = Version::HTTP_11;
        headers::strip_response(&mut parts.headers);
        // An upstream may have a name of its own for the request.
        if !parts.headers.contains_key(REQUEST_ID) {
            fields::set(&mut parts.headers, REQUEST_ID, &self.id);
        }
        // Only streams end with their token: an ordinary answer is over soon anyway.
        let end = ending(&parts.headers).map(|ending| (self.end(permit, &traffic), ending));
        Response::from_parts(
            parts,
            Body::Stream(StreamBody::new(body, under_way, end, traffic)),
        )
    }

    fn switch(
        &self,
        mut response: Response<UpstreamBody>,
        under_way: InFlightGuard,
        handshake: Option<Handshake>,
        traffic: Traffic,
        permit: &ForwardPermit,
    ) -> Result<Response<Body>, Refusal> {
        let Some(handshake) = handshake else {
            return Err(Refusal::Broken(
                "the upstream switches protocols unasked".to_owned(),
            ));
        };
        let upstream = hyper::upgrade::on(&mut response);
        let (mut parts, _) = response.into_parts();
        headers::strip_response(&mut parts.headers);
        handshake.grant(&mut parts.headers);
        let counted = (under_way, self.generation.life.begin_background());
        let end = self.end(permit, &traffic);
        handshake.connect(upstream, counted, traffic, end);
        Ok(Response::from_parts(parts, Body::from(Bytes::new())))
    }

    /// When a stream must end: with the token that opened it, or else after its longest life; when
    /// it is silent; with the gateway.
    fn end(&self, permit: &ForwardPermit, traffic: &Traffic) -> End {
        let Generation {
            clock,
            life,
            streams,
            telemetry,
            ..
        } = self.generation;
        let (clock, telemetry) = (Arc::clone(clock), Arc::clone(telemetry));
        // `life` asks the server in use: a reload may have replaced the one that let this in.
        let (token, traffic, current) = (permit.token().cloned(), traffic.clone(), life.clone());
        let StreamSettings {
            idle,
            life: longest,
            ..
        } = *streams;
        life.end(Some(async move {
            let over = async {
                match (token, longest) {
                    (Some(token), _) => no_longer_good(current, Arc::clone(&clock), token).await,
                    (None, Some(longest)) => {
                        clock.sleep(longest).await;
                        Cause::Old
                    }
                    (None, None) => std::future::pending().await,
                }
            };
            let silent = async {
                match idle {
                    Some(idle) => traffic.silence(Arc::clone(&clock), idle).await,
                    None => std::future::pending().await,
                }
                Cause::Idle
            };
            let cause = tokio::select! {
                cause = over => cause,
                cause = silent => cause,
            };
            telemetry.meters.bounds.count_ending(cause);
            cause
        }))
    }
}

/// How a message ends before its time; `None` if it is no stream.
fn ending(headers: &HeaderMap) -> Option<Ending> {
    let kind = headers.get(CONTENT_TYPE)?.as_bytes();
    if begins_with(kind, b"application/grpc") {
        Some(Ending::Grpc)
    } else if begins_with(kind, b"text/event-stream") {
        Some(Ending::Quiet)
    } else {
        None
    }
}

fn begins_with(kind: &[u8], name: &[u8]) -> bool {
    let beginning = kind.get(..name.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(name))
}
