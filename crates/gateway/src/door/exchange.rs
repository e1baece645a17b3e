//! The reverse proxy. [`Exchange::forward`] is the way of one request, step by step: it is read,
//! authorized, cleaned and sent on, and its answer is passed back.

use super::cors::CorsMark;
use super::published::find_published;
use super::receivers::{find_tail, receive};
use super::request_error::RequestError;
use super::stream_end::{body_watch, denial_in_body, stream_body, stream_end};
use super::websocket::Handshake;
use crate::decision::policy::{DPOP, ForwardPermit, RouteDecision};
use crate::decision::routes::Route;
use crate::forward::body::{Body, Ending};
use crate::forward::headers::{self, ClientView};
use crate::forward::request_body::{Progress, RequestBody};
use crate::forward::upstream::{InFlightGuard, Upstream, UpstreamBody, UpstreamRequest};
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::certificate::FieldJoining;
use crate::request::fields::{self, Values};
use crate::request::incoming::IncomingRequest;
use crate::request::peer::Peer;
use crate::request::target::Target;
use crate::request::trace::Trace;
use crate::telemetry::events;
use crate::telemetry::response_watch::{PassedRequest, ResponseWatch};
use crate::transport::client_body::ClientBody;
use crate::transport::life::{Traffic, WatchScope};
use crate::transport::pace::Pace;
use bytes::Bytes;
use http::header::HeaderName;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use portcullis_resource_server::request_id;
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument as _, Span, field};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Answers a request with the upstream's answer, or with a refusal.
pub(super) async fn answer(
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
        began,
        is_head: request.method() == Method::HEAD,
        id: request_id(request.headers()),
        trace,
        route: None,
        mark: CorsMark::without_route(generation, request.headers()),
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
    let telemetry = &generation.telemetry;
    let took = generation.clock.elapsed().saturating_sub(began);
    let exposition = &telemetry.exposition;
    telemetry
        .meters
        .count_response(exposition, route, response.status(), took);
    response
}

/// The response, or why there is none.
type ProxyAnswer = Result<Response<Body>, RequestError>;

/// One request and its response.
struct Exchange<'g> {
    generation: &'g Generation,
    peer: Peer,
    /// By the clock of the generation.
    began: Duration,
    is_head: bool,
    /// The name of the request in the log, the audit record and the response.
    id: String,
    trace: Option<Trace>,
    /// The name of the matched route, once there is one.
    route: Option<&'g str>,
    /// What the response says of CORS.
    mark: CorsMark<'g>,
}

impl<'g> Exchange<'g> {
    /// The response, and the route that it came by.
    async fn answer(mut self, request: Request<ClientBody>) -> (Option<&'g str>, Response<Body>) {
        let proves = request.headers().contains_key(DPOP);
        let server = &self.generation.policy.server;
        let mut response = match self.forward(request).await {
            Ok(mut response) => {
                // Else each end of a nonce would be a refusal (RFC 9449, section 8.2).
                if proves {
                    server.add_dpop_nonce(response.headers_mut());
                }
                response
            }
            Err(error) => {
                let (route, trace) = (self.route, self.trace.as_ref());
                error.record(self.generation, route, &self.id, trace);
                error.into_response(server, self.id)
            }
        };
        self.mark.add(response.headers_mut());
        (self.route, response)
    }

    /// Forwards a request: every step, in order. Each type is made only by the step before it.
    async fn forward(&mut self, request: Request<ClientBody>) -> ProxyAnswer {
        let (generation, (mut parts, body)) = (self.generation, request.into_parts());
        // A request that two servers could read differently ends here.
        let target = self.target(&parts)?;
        // Public, and before any route: a client without a token begins there.
        let mark = &mut self.mark;
        if let Some(document) = find_published(generation, &parts.method, &target, mark) {
            return Ok(document.map(Body::from));
        }
        if let Some(tail) = find_tail(generation, &target, mark) {
            return Ok(receive(generation, self.peer, &self.id, tail, &parts, body).await?);
        }
        // Before the decision: the token may be among the subprotocols.
        let handshake = Handshake::take(&mut parts, &generation.policy.server);
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
            certificate: generation.certificate(self.peer, &headers, FieldJoining::Never),
            headers,
            id: &self.id,
            trace: self.trace.as_ref(),
        };
        self.mark = CorsMark::by_route(generation, &incoming);
        // A browser asks this without a token, so it is answered before any decision.
        if let Some(preflight) = self.mark.answer_preflight(&incoming) {
            return Ok(preflight);
        }
        let RouteDecision { route, permit, .. } = generation.authorize(&incoming).await?;
        self.route = Some(&route.name);
        // Nothing below can be called without a permit.
        let permit = permit?;
        let upstream = generation.upstream(route)?;
        let traffic = Traffic::default();
        let body = self.body(&incoming, body, route, upstream, &permit, &traffic)?;
        let progress = body.progress();
        self.rewrite_headers(&mut incoming, version, route, &permit)?;
        if let Some(handshake) = &handshake {
            handshake.ask(&mut incoming.headers);
        }
        let upgrade = handshake.is_some();
        let base = upstream.base_path();
        let request = UpstreamRequest::new(&permit, incoming, route, base, body, upgrade)?;
        let sending = self.send(upstream, request, progress.as_deref(), &permit);
        let (response, under_way) = sending.await?;
        // 101 is an answer to a handshake only: without one, the upstream is broken.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self.switch(response, under_way, handshake, traffic, &permit)?);
        }
        Ok(self.pass_back(response, under_way, traffic, &permit))
    }

    fn target(&self, parts: &Parts) -> Result<Target, RequestError> {
        let callers = &self.generation.client_address;
        let scheme = callers.scheme(self.peer, &parts.headers);
        Ok(Target::read(parts, &self.generation.hosts)?.over(scheme))
    }

    async fn send(
        &self,
        upstream: &Upstream,
        request: UpstreamRequest,
        progress: Option<&Progress>,
        permit: &ForwardPermit,
    ) -> Result<(Response<UpstreamBody>, InFlightGuard), RequestError> {
        let span = self.upstream_span(upstream);
        let refusal = match upstream.send(request, &self.id).instrument(span).await {
            Ok(answer) => return Ok(answer),
            Err(refusal) => refusal,
        };
        match denial_in_body(self.generation, progress, permit).await {
            Some(denial) => Err(denial.into()),
            None => Err(refusal.into()),
        }
    }

    fn upstream_span(&self, upstream: &Upstream) -> Span {
        tracing::debug_span!(
            events::UPSTREAM,
            upstream = upstream.name(),
            request_id = self.id
        )
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
        // A body without `Content-Length` is counted on its way instead.
        route.check_body(body.size_hint().lower())?;
        let streams = &self.generation.streams;
        // A gRPC stream may be silent for long. Over HTTP/1.1 no server answers before its end.
        let is_stream = upstream.is_http2() && Ending::of(&request.headers) == Some(Ending::Grpc);
        let (pace, scope) = if is_stream {
            let longest = streams.life.filter(|_| permit.token().is_none());
            let pace = Pace::of_stream(streams, traffic.clone(), longest);
            (pace, WatchScope::Stream)
        } else {
            (Pace::new(streams, traffic.clone()), WatchScope::Body)
        };
        let identity = Arc::clone(&self.generation.identity);
        let watch = body_watch(self.generation, permit, scope);
        let body = RequestBody::new(body, route.body_bytes, pace, identity);
        Ok(body.watch_token(watch, traffic.clone()))
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
            hosts,
            identity,
            ..
        } = self.generation;
        // Read first: `strip_request` removes the headers by which proxies tell of the client.
        let before = client_address.forwarded_for(self.peer, &request.headers);
        let told = client_address.forwarded_host(self.peer, &request.headers, hosts);
        let client = ClientView {
            before: &before,
            host: told.as_ref().unwrap_or(&request.target.host),
            scheme: request.target.scheme,
        };
        let headers = &mut request.headers;
        // Headers of the gateway come after, or `Connection` could name them away.
        headers::strip_request(headers, identity);
        // HTTP/2 splits the field; HTTP/1.1 allows one only (RFC 9113, section 8.2.3).
        if version == Version::HTTP_2 {
            headers::join_cookies(headers);
        }
        let mut values = Values::new();
        headers::add_forwarded(headers, self.peer, &client, &mut values);
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
        self.strip_response(&mut parts.headers);
        // An upstream may have a name of its own for the request.
        if !parts.headers.contains_key(REQUEST_ID) {
            fields::set(&mut parts.headers, REQUEST_ID, &self.id);
        }
        let record = self.watch_response(parts.status);
        let (ending, inner) = (Ending::of(&parts.headers), (body, under_way));
        let body = stream_body(self.generation, permit, ending, inner, traffic);
        Response::from_parts(parts, Body::Stream(body.with_record(record)))
    }

    /// Follows a response of an upstream, if such responses are written down.
    fn watch_response(&self, status: StatusCode) -> Option<ResponseWatch> {
        let request = PassedRequest {
            id: &self.id,
            trace_id: self.trace.as_ref().map(Trace::id),
            route: self.route?,
            began: self.began,
            is_head: self.is_head,
        };
        let generation = self.generation;
        ResponseWatch::begin(&generation.telemetry, &generation.clock, &request, status)
    }

    /// Removes what is for the gateway alone, or for the gateway to say.
    fn strip_response(&self, headers: &mut HeaderMap) {
        headers::strip_response(headers);
        self.mark.strip(headers);
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
        self.strip_response(&mut parts.headers);
        handshake.grant(&mut parts.headers);
        let background = self.generation.life.begin_background();
        let record = self.watch_response(parts.status);
        let record = record.map(ResponseWatch::of_tunnel);
        let end = stream_end(self.generation, permit, &traffic);
        let counted = (under_way, background, record);
        handshake.connect(upstream, counted, traffic, end);
        Ok(Response::from_parts(parts, Body::from(Bytes::new())))
    }
}
