//! The servers behind the gateway: which one gets a request, and what happens when it does not
//! answer.
//!
//! The server with the fewest requests under way is next. One that dies under a request, or fails
//! its probes, is passed over while there is another. When a request goes to another server is said
//! in `tries.rs`. What an upstream answers is not judged, only how it is framed.

mod answer;
mod client;
mod fault;
mod idle;
mod link;
mod outgoing;
mod probe;
mod shared;
mod tries;
mod wire;

pub(crate) use link::AnswerBody;
pub(crate) use outgoing::UpstreamRequest;

use crate::forward::body::RequestBody;
use crate::refusal::Refusal;
use crate::settings::{HostSeen, UpstreamSettings};
use crate::telemetry::events;
use crate::transport::client_body::BodyFault;
use crate::transport::places::{Place, Places};
use client::{Call, Clients};
use fault::Fault;
use http::header::{HOST, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use idle::Idle;
use metrics::{Counter, Histogram, Recorder};
use outgoing::{is_safe, lacks_length};
use portcullis_core::ConfigError;
use portcullis_resource_server::clock::Clock;
use shared::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tries::Tries;

/// How long a server that died under a request is passed over.
const PASSED_OVER: Duration = Duration::from_secs(5);

/// Servers that do the same.
#[derive(Debug)]
pub(crate) struct Upstream {
    settings: UpstreamSettings,
    servers: Vec<Arc<Server>>,
    clients: Clients,
    turn: AtomicUsize,
    /// For requests under way, over all servers.
    places: Arc<Places>,
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
    /// The same, as `:authority`.
    named: Authority,
    idle: Idle,
    shared: Shared,
    under_way: AtomicUsize,
    /// Whether its last probes went well.
    well: AtomicBool,
    /// When it may be tried again after a failure, in milliseconds of the clock.
    passed_over_until: AtomicU64,
}

/// One request under way at a server. It counts until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Server>, Option<Place>);

impl Upstream {
    /// Makes the clients; nothing is connected yet.
    pub(crate) fn new(
        settings: UpstreamSettings,
        clock: Arc<dyn Clock>,
        recorder: &dyn Recorder,
    ) -> Result<Arc<Self>, ConfigError> {
        let servers = settings
            .servers
            .iter()
            .map(|(scheme, authority)| Server::new(scheme, authority));
        let servers = servers.collect::<Option<_>>().ok_or_else(|| {
            let place = format!("upstream `{}`", settings.name);
            ConfigError::wrong(place, "a server's address cannot be used")
                .help("write each as `http://host:port`")
        })?;
        let clients = Clients::new(&settings)?;
        let upstream = Arc::new(Self {
            servers,
            clients,
            turn: AtomicUsize::new(0),
            places: Places::new(settings.requests.unwrap_or(usize::MAX)),
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

    /// Whether its servers speak HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.clients.is_http2(false)
    }

    /// Below which path its servers have their paths; nothing where they have none.
    pub(crate) fn base_path(&self) -> &str {
        &self.settings.base_path
    }

    pub(crate) fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    /// Sends a request, and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        request: UpstreamRequest,
    ) -> Result<(Response<AnswerBody>, UnderWay), Refusal> {
        let Some(place) = self.places.take() else {
            return Err(Refusal::UpstreamBusy(format!(
                "upstream `{}` has no place",
                self.settings.name
            )));
        };
        let began = Instant::now();
        let answer = self
            .try_to_send(request)
            .await
            .map(|(response, under_way)| (response, under_way.with(place)));
        match &answer {
            Ok(_) => self.seconds.record(began.elapsed()),
            // The caller's own faults are not the upstream's.
            Err(
                Refusal::Unreachable(_)
                | Refusal::Broken(_)
                | Refusal::AnswerHead(_)
                | Refusal::TooSlow,
            ) => {
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

    async fn try_to_send(
        &self,
        request: UpstreamRequest,
    ) -> Result<(Response<AnswerBody>, UnderWay), Refusal> {
        let UpstreamRequest {
            method,
            headers,
            target,
            host,
            body,
            timeout,
            upgrade,
        } = request;
        let progress = body.progress();
        let empty = http_body::Body::is_end_stream(&body);
        let harmless = self.settings.retry && is_safe(&method) && empty && !upgrade;
        let chunked = lacks_length(&method, &body);
        let (mut body, mut tries) = (Some(body), Tries::default());
        let mut last = None;
        loop {
            let Some((under_way, well)) = self.next(&tries) else {
                let none = || Fault::Connect("it has no server".to_owned());
                return Err(self.refusal(last.unwrap_or_else(none)));
            };
            let server = Arc::clone(&under_way.0);
            let mut head = self.request(&server, (&method, &headers), (&target, &host), upgrade)?;
            if chunked && head.version == Version::HTTP_11 {
                head.headers
                    .insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
            let progress = progress.as_deref();
            let call = Call {
                head,
                upgrade,
                timeout,
                progress,
                fresh: !tries.is_first(),
            };
            let fault = match self.clients.send(&server, call, &mut body).await {
                Ok(response) => {
                    if !well {
                        server.passed_over_until.store(0, Ordering::Relaxed);
                    }
                    return Ok((response, under_way));
                }
                Err(fault) => fault,
            };
            if fault.is_death() {
                self.pass_over(&server, &fault);
            }
            if body.is_none() && empty {
                body = Some(RequestBody::empty());
            }
            if !tries.fail(server, &fault, body.is_some(), harmless) {
                return Err(self.refusal(fault));
            }
            tracing::debug!(upstream = %self.settings.name, facts = ?fault, "tries another server");
            last = Some(fault);
        }
    }

    fn pass_over(&self, server: &Server, fault: &Fault) {
        let now = self.clock.elapsed();
        let until = u64::try_from(now.saturating_add(PASSED_OVER).as_millis()).unwrap_or(u64::MAX);
        let before = server.passed_over_until.swap(until, Ordering::Relaxed);
        if u128::from(before) <= now.as_millis() {
            let (upstream, server) = (&self.settings.name, &server.authority);
            tracing::warn!(
                %upstream,
                %server,
                facts = ?fault,
                "the server failed and is passed over",
            );
        }
    }

    /// The server to try next, and whether it is well: of those that are well the one with the
    /// fewest requests, the others after them. A server is tried again only where no other one is
    /// left.
    fn next(&self, tries: &Tries) -> Option<(UnderWay, bool)> {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.servers.len().max(1);
        let in_turn = self
            .servers
            .iter()
            .skip(first)
            .chain(self.servers.iter().take(first));
        let left = in_turn.filter_map(|server| Some((tries.failures(server)?, server)));
        let (_, server) = left.min_by_key(|(failures, server)| {
            (
                *failures,
                !server.is_well(now),
                server.under_way.load(Ordering::Relaxed),
            )
        })?;
        server.under_way.fetch_add(1, Ordering::Relaxed);
        Some((UnderWay(Arc::clone(server), None), server.is_well(now)))
    }

    /// The head of a request, in the form for the protocol, with one host (RFC 9112, section 3.2;
    /// RFC 9113, section 8.3.1).
    fn request(
        &self,
        server: &Server,
        (method, headers): (&Method, &HeaderMap),
        (target, host): (&PathAndQuery, &HeaderValue),
        upgrade: bool,
    ) -> Result<Parts, Refusal> {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = method.clone();
        head.headers = headers.clone();
        let own = self.settings.host == HostSeen::Upstream;
        if self.clients.is_http2(upgrade) {
            head.version = Version::HTTP_2;
            head.headers.remove(HOST);
            let authority = if own {
                None
            } else {
                Authority::try_from(host.as_bytes()).ok()
            };
            let uri = Uri::builder()
                .scheme(server.scheme.clone())
                .authority(authority.unwrap_or_else(|| server.named.clone()))
                .path_and_query(target.clone());
            head.uri = uri
                .build()
                .map_err(|_| Refusal::Target("a target that is too long"))?;
        } else {
            head.version = Version::HTTP_11;
            head.headers.insert(
                HOST,
                if own {
                    server.host.clone()
                } else {
                    host.clone()
                },
            );
            // By its path alone, as servers expect it that are no proxies.
            head.uri = Uri::from(target.clone());
        }
        Ok(head)
    }

    fn refusal(&self, fault: Fault) -> Refusal {
        let name = &self.settings.name;
        match fault {
            Fault::Connect(facts) => Refusal::Unreachable(format!("upstream `{name}`: {facts}")),
            Fault::NotProcessed(facts)
            | Fault::Unanswered { facts, .. }
            | Fault::Reset(facts)
            | Fault::Broken(facts) => Refusal::Broken(format!("upstream `{name}`: {facts}")),
            Fault::HeadTooLarge(facts) => {
                Refusal::AnswerHead(format!("upstream `{name}`: {facts}"))
            }
            Fault::TooSlow { .. } => Refusal::TooSlow,
            Fault::Body(BodyFault::TooLarge) => Refusal::BodyTooLarge,
            Fault::Body(BodyFault::TooManyFields) => {
                Refusal::TooManyFields("trailers out of bounds")
            }
            Fault::Body(BodyFault::TooSlow) => Refusal::BodyTooSlow,
            Fault::Body(BodyFault::Broken) => Refusal::BodyBroken,
        }
    }
}

impl Server {
    fn new(scheme: &Scheme, authority: &Authority) -> Option<Arc<Self>> {
        let uri = Uri::builder()
            .scheme(scheme.clone())
            .authority(authority.clone())
            .path_and_query("/");
        let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        let host = match authority.port_u16() {
            Some(port) if port != usual => format!("{}:{port}", authority.host()),
            _ => authority.host().to_owned(),
        };
        Some(Arc::new(Self {
            scheme: scheme.clone(),
            authority: authority.clone(),
            uri: uri.build().ok()?,
            named: Authority::try_from(host.as_str()).ok()?,
            host: HeaderValue::try_from(host).ok()?,
            idle: Idle::default(),
            shared: Shared::default(),
            under_way: AtomicUsize::new(0),
            well: AtomicBool::new(true),
            passed_over_until: AtomicU64::new(0),
        }))
    }

    fn is_well(&self, now: u64) -> bool {
        self.well.load(Ordering::Relaxed) && self.passed_over_until.load(Ordering::Relaxed) <= now
    }
}

impl UnderWay {
    /// Keeps a place of the upstream too.
    fn with(mut self, place: Place) -> Self {
        self.1 = Some(place);
        self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
