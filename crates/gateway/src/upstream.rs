//! The servers behind the gateway: which one gets a request, and what happens when it does not answer.
//!
//! The server with the fewest requests under way is next. One that refuses connections, or fails its probes, is
//! passed over while there is another. A request is tried again only if it is safe (RFC 9110, section 9.2.1), has no
//! body, and no server has begun to answer it. What an upstream answers is not judged.

mod client;
mod idle;
mod link;
mod probe;

pub(crate) use link::AnswerBody;

use crate::body::{BodyFault, Progress, RequestBody};
use crate::refusal::Refusal;
use crate::settings::{HostSeen, Protocol, UpstreamSettings};
use crate::telemetry::events;
use client::{Clients, Fault};
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri, Version};
use idle::Idle;
use metrics::{Counter, Histogram, Recorder};
use portcullis_core::ConfigError;
use portcullis_resource_server::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a server that refused a connection is passed over.
const PASSED_OVER: Duration = Duration::from_secs(5);
/// How many servers are asked for one request at most.
const MOST_TRIES: usize = 3;

/// Servers that do the same.
#[derive(Debug)]
pub(crate) struct Upstream {
    settings: UpstreamSettings,
    servers: Vec<Arc<Server>>,
    clients: Clients,
    turn: AtomicUsize,
    clock: Arc<dyn Clock>,
    seconds: Histogram,
    failures: Counter,
}

#[derive(Debug)]
struct Server {
    scheme: Scheme,
    authority: Authority,
    /// Where to connect to.
    uri: Uri,
    /// What it is called in `Host`, where the client's own word for it does not go through.
    host: HeaderValue,
    idle: Idle,
    under_way: AtomicUsize,
    /// Whether its last probes went well.
    well: AtomicBool,
    /// When it may be tried again after a failed connection, in milliseconds of the clock.
    passed_over_until: AtomicU64,
}

/// One request under way at a server. It counts until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Server>);

/// A request that is ready to go.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) parts: Parts,
    pub(crate) target: PathAndQuery,
    pub(crate) host: HeaderValue,
    pub(crate) body: RequestBody,
    pub(crate) progress: Option<Arc<Progress>>,
    /// For the head of the answer, from the last piece of the request on.
    pub(crate) timeout: Duration,
    /// Whether the connection is to be taken over afterwards.
    pub(crate) upgrade: bool,
}

impl Upstream {
    /// Makes the clients; nothing is connected yet.
    pub(crate) fn new(
        settings: UpstreamSettings,
        clock: Arc<dyn Clock>,
        recorder: &dyn Recorder,
    ) -> Result<Arc<Self>, ConfigError> {
        let servers = settings.servers.iter().map(|(scheme, authority)| Server::new(scheme, authority));
        let servers = servers.collect::<Option<_>>().ok_or_else(|| {
            let place = format!("upstream `{}`", settings.name);
            ConfigError::new(place, "addresses of servers", "write each as `http://host:port`")
        })?;
        let clients = Clients::new(&settings)?;
        let upstream = Arc::new(Self {
            servers,
            clients,
            turn: AtomicUsize::new(0),
            seconds: events::UPSTREAM_SECONDS.times(recorder, &[&settings.name]),
            failures: events::UPSTREAM_FAILURES.count(recorder, &[&settings.name]),
            settings,
            clock,
        });
        probe::start(&upstream);
        Ok(upstream)
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(crate) fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    /// Sends a request, and waits for the head of the answer.
    pub(crate) async fn send(&self, request: Outgoing) -> Result<(Response<AnswerBody>, UnderWay), Refusal> {
        let began = Instant::now();
        let answer = self.try_to_send(request).await;
        match &answer {
            Ok(_) => self.seconds.record(began.elapsed()),
            // The caller's own faults are not the upstream's.
            Err(Refusal::Unreachable(_) | Refusal::Broken(_) | Refusal::TooSlow) => {
                self.failures.increment(1);
            }
            Err(_) => {}
        }
        answer
    }

    /// The states among the figures.
    pub(crate) fn record(&self, recorder: &dyn Recorder) {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        for server in &self.servers {
            let labels = [&*self.settings.name, server.authority.as_str()];
            let under_way = server.under_way.load(Ordering::Relaxed);
            events::UPSTREAM_UP.set(recorder, &labels, f64::from(u8::from(server.is_well(now))));
            events::UPSTREAM_UNDER_WAY.set(recorder, &labels, under_way as f64);
        }
    }

    async fn try_to_send(&self, request: Outgoing) -> Result<(Response<AnswerBody>, UnderWay), Refusal> {
        let Outgoing { parts, target, host, body, progress, timeout, upgrade } = request;
        let again = is_safe(&parts.method) && http_body::Body::is_end_stream(&body) && !upgrade;
        let (mut body, mut tried) = (Some(body), Vec::new());
        loop {
            let Some(under_way) = self.next(&tried) else {
                return Err(Refusal::Unreachable(format!("upstream `{}` has no server", self.settings.name)));
            };
            let server = Arc::clone(&under_way.0);
            let one = self.request(
                &server,
                &parts,
                &target,
                &host,
                body.take().unwrap_or_else(RequestBody::empty),
                upgrade,
            );
            let answer = self.clients.send(&server, one?, upgrade, timeout, progress.as_deref()).await;
            let fault = match answer {
                Ok(response) => return Ok((response, under_way)),
                Err(fault) => fault,
            };
            if matches!(fault, Fault::Connect(_)) {
                let until = self.clock.elapsed().saturating_add(PASSED_OVER).as_millis();
                server.passed_over_until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            let unanswered = matches!(fault, Fault::Connect(_) | Fault::Unanswered(_));
            tried.push(server);
            if !(again && unanswered && tried.len() < MOST_TRIES) {
                return Err(self.refusal(fault));
            }
        }
    }

    /// The server to ask next: of those that are well the one with the fewest requests, the others after them. A
    /// server is asked twice only where it is the only one.
    fn next(&self, tried: &[Arc<Server>]) -> Option<UnderWay> {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.servers.len().max(1);
        let in_turn = self.servers.iter().skip(first).chain(self.servers.iter().take(first));
        let server = in_turn.min_by_key(|server| {
            let times = tried.iter().filter(|other| Arc::ptr_eq(other, server)).count();
            (times, !server.is_well(now), server.under_way.load(Ordering::Relaxed))
        })?;
        server.under_way.fetch_add(1, Ordering::Relaxed);
        Some(UnderWay(Arc::clone(server)))
    }

    fn request(
        &self,
        server: &Server,
        parts: &Parts,
        target: &PathAndQuery,
        host: &HeaderValue,
        body: RequestBody,
        upgrade: bool,
    ) -> Result<Request<RequestBody>, Refusal> {
        let mut request = Request::new(body);
        *request.method_mut() = parts.method.clone();
        *request.headers_mut() = parts.headers.clone();
        *request.version_mut() = Version::HTTP_11;
        let uri = Uri::builder()
            .scheme(server.scheme.clone())
            .authority(server.authority.clone())
            .path_and_query(target.clone())
            .build();
        *request.uri_mut() = uri.map_err(|_| Refusal::Target("a target that is too long"))?;
        let http1 = upgrade || self.settings.protocol == Protocol::Http1;
        if http1 && self.settings.host == HostSeen::Client {
            request.headers_mut().insert(HOST, host.clone());
        }
        Ok(request)
    }

    fn refusal(&self, fault: Fault) -> Refusal {
        let name = &self.settings.name;
        match fault {
            Fault::Connect(facts) => Refusal::Unreachable(format!("upstream `{name}`: {facts}")),
            Fault::Unanswered(facts) | Fault::Broken(facts) => {
                Refusal::Broken(format!("upstream `{name}`: {facts}"))
            }
            Fault::TooSlow => Refusal::TooSlow,
            Fault::Body(BodyFault::TooLarge) => Refusal::BodyTooLarge,
            Fault::Body(BodyFault::TooSlow | BodyFault::Broken) => Refusal::BodyTooSlow,
        }
    }
}

impl Server {
    fn new(scheme: &Scheme, authority: &Authority) -> Option<Arc<Self>> {
        let uri = Uri::builder().scheme(scheme.clone()).authority(authority.clone()).path_and_query("/");
        let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        let host = match authority.port_u16() {
            Some(port) if port != usual => format!("{}:{port}", authority.host()),
            _ => authority.host().to_owned(),
        };
        Some(Arc::new(Self {
            scheme: scheme.clone(),
            authority: authority.clone(),
            uri: uri.build().ok()?,
            host: HeaderValue::try_from(host).ok()?,
            idle: Idle::default(),
            under_way: AtomicUsize::new(0),
            well: AtomicBool::new(true),
            passed_over_until: AtomicU64::new(0),
        }))
    }

    fn is_well(&self, now: u64) -> bool {
        self.well.load(Ordering::Relaxed) && self.passed_over_until.load(Ordering::Relaxed) <= now
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Methods that change nothing (RFC 9110, section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
