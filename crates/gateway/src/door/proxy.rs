//! The reverse proxy: a request is read, decided, cleaned, sent on, and its answer passed back.

use super::interface::Door;
use super::websocket::Handshake;
use crate::decision::policy::{Inquiry, Passage, Verdict};
use crate::decision::routes::Route;
use crate::forward::body::{Body, Ending, RequestBody, Streamed};
use crate::forward::headers::{self, Seen};
use crate::forward::upstream::{AnswerBody, Outgoing, UnderWay};
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::request::fields::{self, Values};
use crate::request::peer::Peer;
use crate::request::target::Asked;
use crate::request::trace::Trace;
use crate::settings::StreamSettings;
use crate::telemetry::record::Named;
use crate::telemetry::{Telemetry, events};
use crate::transport::client_body::ClientBody;
use crate::transport::life::{Cause, End, Traffic, no_longer_good};
use crate::transport::pace::Pace;
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::Body as _;
use portcullis_resource_server::{Refused, request_id};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tracing::{Instrument as _, field};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// All callers whose address is unknown are one, and it has the bounds of one.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The reverse proxy as a door.
#[derive(Clone, Debug)]
pub(crate) struct Proxy(pub(crate) Arc<ArcSwap<Generation>>);

impl Door for Proxy {
    fn caller(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        let caller = self.0.load_full().client_address.caller(peer, headers);
        Some(match caller {
            Caller::Direct(address) => address,
            // Loopback has no bound of its own, and is never what a proxy in front can mean.
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

/// Answers a request: the upstream's answer, or why there is none.
async fn answer(
    generation: &Generation,
    peer: Peer,
    request: Request<ClientBody>,
) -> Response<Body> {
    let began = generation.clock.elapsed();
    let request_id = request_id(request.headers());
    let read = Trace::read(request.headers());
    let trace = read.or_else(|| generation.begin_traces.then(Trace::begin));
    let span = tracing::debug_span!(
        events::REQUEST,
        request_id,
        trace_id = trace.as_ref().map(Trace::id),
        method = %request.method(),
        route = field::Empty,
        status = field::Empty,
    );
    let arrival = Arrival {
        generation,
        peer,
        request_id,
        trace,
    };
    let (route, response) = arrival.answer(request).instrument(span.clone()).await;
    span.record("route", route)
        .record("status", response.status().as_u16());
    let Telemetry {
        exposition, meters, ..
    } = &*generation.telemetry;
    let took = generation.clock.elapsed().saturating_sub(began);
    meters.answered(exposition, route, response.status(), took);
    response
}

/// A request, and what it is called.
struct Arrival<'r> {
    generation: &'r Generation,
    peer: Peer,
    request_id: String,
    trace: Option<Trace>,
}

impl<'r> Arrival<'r> {
    /// The answer, and the route that it came by.
    async fn answer(self, request: Request<ClientBody>) -> (Option<&'r str>, Response<Body>) {
        let (generation, peer, request_id) = (self.generation, self.peer, self.request_id);
        let (mut parts, body) = request.into_parts();
        let asked = match Asked::read(&parts, &generation.hosts) {
            Ok(asked) => asked,
            Err(refusal) => return (None, refusal.into_response(&request_id)),
        };
        if let Some(assertions) = generation.identity.assertions()
            && let Some(keys) = assertions.published(&parts.method, asked.path.as_str())
        {
            return (None, keys.map(Body::from));
        }
        let handshake = Handshake::take(&mut parts);
        let inquiry = Inquiry {
            method: &parts.method,
            host: &asked.host,
            path: &asked.path,
            query: asked.query.as_deref(),
            headers: &parts.headers,
            has_body: !body.is_end_stream(),
        };
        let trace = self.trace.as_ref();
        let caller = generation.client_address.caller(peer, &parts.headers);
        let named = Named {
            request_id: &request_id,
            trace_id: trace.map(Trace::id),
            caller,
        };
        let Verdict { route, passage, .. } = match generation.decide(inquiry, named).await {
            Ok(verdict) => verdict,
            Err(refusal) => return (None, refusal.into_response(&request_id)),
        };
        let response = match passage {
            Ok(passage) => {
                let exchange = Exchange {
                    generation,
                    peer,
                    asked: &asked,
                    route,
                    passage,
                    request_id: &request_id,
                    trace,
                };
                let response = exchange.forward(parts, body, handshake).await;
                response.unwrap_or_else(|refusal| {
                    generation.telemetry.meters.bounds.refused(&refusal);
                    refusal.into_response(&request_id)
                })
            }
            Err(denial) => {
                let refused = Refused::named(denial, &generation.policy.server, request_id);
                refused.into_response::<Bytes>().map(Body::from)
            }
        };
        (Some(&route.name), response)
    }
}

/// A request that was let through, and what goes with it.
struct Exchange<'r> {
    generation: &'r Generation,
    peer: Peer,
    asked: &'r Asked,
    route: &'r Route,
    passage: Passage,
    request_id: &'r str,
    trace: Option<&'r Trace>,
}

impl Exchange<'_> {
    /// Sends the request on. The passage is used up: without one, there is nothing to call this
    /// with.
    async fn forward(
        self,
        mut parts: Parts,
        body: ClientBody,
        handshake: Option<Handshake>,
    ) -> Result<Response<Body>, Refusal> {
        let upstream = self.generation.upstream(self.route)?;
        let traffic = Traffic::default();
        let body = self.body(&parts, body, upstream.is_http2(), &traffic)?;
        self.clean(&mut parts)?;
        if let Some(handshake) = &handshake {
            handshake.ask(&mut parts.headers);
        }
        let host = HeaderValue::from_str(self.asked.host.authority());
        let outgoing = Outgoing {
            target: self.asked.forwarded(self.route, upstream.base_path())?,
            host: host.map_err(|_| Refusal::Host("a malformed host"))?,
            progress: body.progress(),
            timeout: self.route.response_timeout,
            upgrade: handshake.is_some(),
            parts,
            body,
        };
        let span = tracing::debug_span!(
            events::UPSTREAM,
            upstream = upstream.name(),
            request_id = self.request_id
        );
        let (response, under_way) = upstream.send(outgoing).instrument(span).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return self.switch(response, under_way, handshake, traffic);
        }
        Ok(self.pass_back(response, under_way, traffic))
    }

    /// The body, if what it says of its size is within bounds.
    fn body(
        &self,
        parts: &Parts,
        body: ClientBody,
        to_http2: bool,
        traffic: &Traffic,
    ) -> Result<RequestBody, Refusal> {
        if body.is_end_stream() {
            return Ok(RequestBody::empty());
        }
        let most = self.route.body_bytes;
        if most.is_some_and(|most| body.size_hint().lower() > most) {
            return Err(Refusal::BodyTooLarge);
        }
        let streams = &self.generation.streams;
        // Over HTTP/1.1 no server can answer while a call is still to come.
        let pace = if to_http2 && ending(&parts.headers) == Some(Ending::Grpc) {
            let longest = streams.life.filter(|_| self.passage.token().is_none());
            Pace::of_stream(streams, traffic.clone(), longest)
        } else {
            Pace::new(streams, traffic.clone())
        };
        Ok(RequestBody::new(
            body,
            most,
            pace,
            self.generation.identity.clone(),
        ))
    }

    /// First away with what the client may not say, then on with what the gateway does.
    fn clean(&self, parts: &mut Parts) -> Result<(), Refusal> {
        let before = self
            .generation
            .client_address
            .before(self.peer, &parts.headers);
        let headers = &mut parts.headers;
        headers::strip_request(headers, &self.generation.identity);
        if parts.version == Version::HTTP_2 {
            headers::join_cookies(headers);
        }
        let Peer {
            address, secure, ..
        } = self.peer;
        let mut values = Values::new();
        let seen = Seen {
            peer: address,
            secure,
            host: &self.asked.host,
            before: &before,
        };
        headers::add_forwarded(headers, seen, &mut values);
        if let Some(prefix) = self.asked.stripped(self.route) {
            values.push(prefix);
            values.set(headers, FORWARDED_PREFIX);
        }
        headers::add_via(headers, parts.version);
        values.push(self.request_id);
        values.set(headers, REQUEST_ID);
        Trace::write(self.trace, headers);
        match self.passage.token() {
            Some(token) => {
                let to = self.generation.addressed(self.route);
                self.generation
                    .identity
                    .add(headers, token, to, &mut values)
            }
            None => Ok(()),
        }
    }

    fn pass_back(
        &self,
        response: Response<AnswerBody>,
        under_way: UnderWay,
        traffic: Traffic,
    ) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        headers::strip_response(&mut parts.headers);
        if !parts.headers.contains_key(REQUEST_ID) {
            fields::set(&mut parts.headers, REQUEST_ID, self.request_id);
        }
        let end = ending(&parts.headers).map(|ending| (self.end(&traffic), ending));
        Response::from_parts(
            parts,
            Body::Stream(Streamed::new(body, under_way, end, traffic)),
        )
    }

    fn switch(
        &self,
        mut response: Response<AnswerBody>,
        under_way: UnderWay,
        handshake: Option<Handshake>,
        traffic: Traffic,
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
        let end = self.end(&traffic);
        handshake.connect(
            upstream,
            (under_way, self.generation.life.beside()),
            traffic,
            end,
        );
        Ok(Response::from_parts(parts, Body::from(Bytes::new())))
    }

    /// When a stream must end: with the token that opened it, or else after its longest life; when
    /// it is silent; with the gateway.
    fn end(&self, traffic: &Traffic) -> End {
        let Generation {
            clock,
            life,
            streams,
            telemetry,
            ..
        } = self.generation;
        let (clock, telemetry) = (Arc::clone(clock), Arc::clone(telemetry));
        let (token, traffic, current) =
            (self.passage.token().cloned(), traffic.clone(), life.clone());
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
            telemetry.meters.bounds.ended(cause);
            cause
        }))
    }
}

/// How an answer ends before its time; `None` for one that is no stream.
fn ending(headers: &HeaderMap) -> Option<Ending> {
    let kind = headers.get(CONTENT_TYPE)?.as_bytes();
    let is = |name: &[u8]| {
        kind.len() >= name.len()
            && kind
                .iter()
                .zip(name)
                .all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    if is(b"application/grpc") {
        Some(Ending::Grpc)
    } else if is(b"text/event-stream") {
        Some(Ending::Quiet)
    } else {
        None
    }
}
