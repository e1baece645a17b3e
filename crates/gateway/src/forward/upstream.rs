//! The servers behind the gateway: which one gets a request, and what happens when it does not
//! answer.
//!
//! The server with the fewest requests under way is next. One that fails a request, or its probes,
//! is passed over while there is another. `attempts.rs` says when a request goes to another server.
//! A response is checked for its framing only.

mod attempts;
mod client;
mod connector;
mod fault;
mod idle_pool;
mod link;
pub(crate) mod probe;
mod request;
mod request_head;
mod response_body;
mod response_framing;
mod server;
mod shared_connection;
mod wire;

pub(crate) use request::UpstreamRequest;
pub(crate) use response_body::UpstreamBody;
pub(crate) use server::InFlightGuard;

use crate::forward::request_body::RequestBody;
use crate::refusal::Refusal;
use crate::settings::{HostSeen, UpstreamSettings};
use crate::telemetry::events;
use crate::transport::client_body::BodyFault;
use crate::transport::slots::Slots;
use attempts::Attempts;
use client::{Call, UpstreamClient};
use fault::UpstreamFault;
use http::Response;
use http::header::{HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http_body::Body as _;
use metrics::{Counter, Histogram, Recorder};
use portcullis_core::ConfigError;
use portcullis_resource_server::clock::Clock;
use portcullis_resource_server::{FailureLog, FailureNotice};
use request::{is_safe, lacks_length};
use server::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

// Short: with a single bad server among two, half the capacity is missing for this long.
/// How long a server that failed a request is passed over.
const PASSED_OVER: Duration = Duration::from_secs(5);

/// How long no request must have failed before an upstream counts as well again.
const CALM: Duration = Duration::from_secs(10);

/// Servers that do the same.
#[derive(Debug)]
pub(crate) struct Upstream {
    settings: UpstreamSettings,
    servers: Vec<Arc<Server>>,
    client: UpstreamClient,
    turn: AtomicUsize,
    /// For requests under way, over all servers.
    slots: Arc<Slots>,
    clock: Arc<dyn Clock>,
    seconds: Histogram,
    failures: Counter,
    log: FailureLog,
}

impl Upstream {
    /// Prepares the servers; nothing is connected yet.
    pub(crate) fn new(
        settings: UpstreamSettings,
        clock: Arc<dyn Clock>,
        recorder: &dyn Recorder,
    ) -> Result<Arc<Self>, ConfigError> {
        let mut servers = Vec::with_capacity(settings.servers.len());
        for (scheme, authority) in &settings.servers {
            let Some(server) = Server::new(scheme, authority) else {
                let place = format!("upstream `{}`", settings.name);
                return Err(ConfigError::expected(place, "the address of a server")
                    .found(format!("{scheme}://{authority}"))
                    .help("write it as `http://host:port`"));
            };
            servers.push(server);
        }
        Ok(Arc::new(Self {
            servers,
            client: UpstreamClient::new(&settings)?,
            turn: AtomicUsize::new(0),
            slots: Slots::new(settings.requests.unwrap_or(usize::MAX)),
            seconds: events::UPSTREAM_SECONDS.times(recorder, &[&settings.name]),
            failures: events::UPSTREAM_FAILURES.count(recorder, &[&settings.name]),
            log: FailureLog::with_calm(CALM),
            settings,
            clock,
        }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Whether its servers speak HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.client.is_http2(false)
    }

    /// The path below which its servers have their paths; empty if there is none.
    pub(crate) fn base_path(&self) -> &str {
        &self.settings.base_path
    }

    pub(crate) fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    /// Sends a request, and waits for the head of the response. The log names it by its id.
    pub(crate) async fn send(
        &self,
        request: UpstreamRequest,
        id: &str,
    ) -> Result<(Response<UpstreamBody>, InFlightGuard), Refusal> {
        // No queue: waiting would only add delay to an upstream that is too slow already.
        let Some(slot) = self.slots.take() else {
            let name = &self.settings.name;
            return Err(Refusal::UpstreamBusy(format!(
                "upstream `{name}` has no free slot"
            )));
        };
        let began = Instant::now();
        match self.try_servers(request).await {
            Ok((response, guard)) => {
                self.seconds.record(began.elapsed());
                self.log_recovery();
                Ok((response, guard.with_slot(slot)))
            }
            Err(refusal) => {
                if is_upstream_failure(&refusal) {
                    self.failures.increment(1);
                    self.log_failure(&refusal, id);
                }
                Err(refusal)
            }
        }
    }

    /// Logs the first request that failed, and now and then that more do.
    fn log_failure(&self, refusal: &Refusal, request_id: &str) {
        let (upstream, code) = (&*self.settings.name, refusal.code());
        match self.log.fail(self.clock.elapsed()) {
            FailureNotice::First => {
                tracing::warn!(upstream, code, facts = %refusal, request_id, "the upstream fails");
            }
            FailureNotice::Again(toll) => tracing::warn!(
                upstream,
                code,
                facts = %refusal,
                request_id,
                failures = toll.failures,
                "the upstream still fails after {toll}, requests without an answer: {}",
                toll.failures,
            ),
            // The requests in between are in the audit records.
            FailureNotice::Known => {
                tracing::debug!(upstream, code, facts = %refusal, request_id, "no answer");
            }
        }
    }

    fn log_recovery(&self) {
        if let Some(toll) = self.log.succeed(self.clock.elapsed()) {
            tracing::info!(
                upstream = %self.settings.name,
                failures = toll.failures,
                "the upstream answers again after {toll}, requests without an answer: {}",
                toll.failures,
            );
        }
    }

    /// Records the gauges of its servers.
    pub(crate) fn record(&self, recorder: &dyn Recorder) {
        let now = self.now();
        for server in &self.servers {
            let labels = [&*self.settings.name, server.authority.as_str()];
            let up = f64::from(u8::from(server.is_healthy(now)));
            events::UPSTREAM_UP.set(recorder, &labels, up);
            events::UPSTREAM_UNDER_WAY.set(recorder, &labels, server.in_flight() as f64);
        }
    }

    /// Sends a request to one server after the other, as far as [`Attempts`] allows.
    async fn try_servers(
        &self,
        mut request: UpstreamRequest,
    ) -> Result<(Response<UpstreamBody>, InFlightGuard), Refusal> {
        let progress = request.body.progress();
        let is_empty = request.body.is_end_stream();
        let harmless =
            self.settings.retry && is_safe(&request.method) && is_empty && !request.upgrade;
        let chunked = lacks_length(&request.method, &request.body);
        let empty_body = RequestBody::empty();
        let mut body = Some(std::mem::replace(&mut request.body, empty_body));
        let mut attempts = Attempts::default();
        let mut last_fault = None;
        loop {
            let Some((guard, healthy)) = self.next_server(&attempts) else {
                let fault = last_fault
                    .unwrap_or_else(|| UpstreamFault::Connect("it has no server".to_owned()));
                return Err(self.refuse(fault));
            };
            let server = Arc::clone(guard.server());
            let call = Call {
                head: self.write_head(&server, &request, chunked)?,
                upgrade: request.upgrade,
                timeout: request.timeout,
                progress: progress.as_deref(),
                // Other idle connections may have died at the same moment.
                fresh: !attempts.is_first(),
            };
            let fault = match self.client.send(&server, call, &mut body).await {
                Ok(response) => {
                    self.note_answer(&server);
                    // An answer is better evidence than the clock: the server gets its share again.
                    if !healthy {
                        server.pass_over_until(0);
                    }
                    return Ok((response, guard));
                }
                Err(fault) => fault,
            };
            if fault.is_death() {
                self.pass_over(&server, &fault);
            }
            // A body cannot be replayed, except the empty one.
            if body.is_none() && is_empty {
                body = Some(RequestBody::empty());
            }
            if !attempts.fail(server, &fault, body.is_some(), harmless) {
                return Err(self.refuse(fault));
            }
            tracing::debug!(
                upstream = %self.settings.name,
                facts = ?fault,
                "trying another server",
            );
            last_fault = Some(fault);
        }
    }

    /// The head of a request for this server. `chunked`: whether its body needs that coding.
    fn write_head(
        &self,
        server: &Server,
        request: &UpstreamRequest,
        chunked: bool,
    ) -> Result<Parts, Refusal> {
        let host = match self.settings.host {
            HostSeen::Upstream => None,
            HostSeen::Client => Some(&request.host),
        };
        let http2 = self.client.is_http2(request.upgrade);
        let mut head = request_head::write(
            server,
            (&request.method, &request.headers),
            &request.target,
            host,
            http2,
        )?;
        // HTTP/2 has no transfer codings (RFC 9113, section 8.2.2).
        if chunked && !http2 {
            let coding = HeaderValue::from_static("chunked");
            head.headers.insert(TRANSFER_ENCODING, coding);
        }
        Ok(head)
    }

    fn pass_over(&self, server: &Server, fault: &UpstreamFault) {
        let now = self.clock.elapsed();
        let until = milliseconds(now.saturating_add(PASSED_OVER));
        // One line for each outage: requests that were under way fail together.
        if server.pass_over_until(until) <= milliseconds(now) {
            let (upstream, authority) = (&self.settings.name, &server.authority);
            // Of an only server, the log of the upstream says enough.
            if self.servers.len() == 1 {
                tracing::debug!(%upstream, server = %authority, facts = ?fault, "it failed");
            } else if server.failures.fail(now) == FailureNotice::First {
                tracing::warn!(
                    %upstream,
                    server = %authority,
                    facts = ?fault,
                    "the server failed and is skipped for five seconds at a time",
                );
            }
        }
    }

    /// Logs that a server that failed is well again.
    fn note_answer(&self, server: &Server) {
        if let Some(toll) = server.failures.succeed(self.clock.elapsed()) {
            tracing::info!(
                upstream = %self.settings.name,
                server = %server.authority,
                failures = toll.failures,
                "the server answers again after {toll}",
            );
        }
    }

    /// The server to try next, and whether it is healthy: the one with the fewest requests under
    /// way, healthy ones first. A server that failed is tried again only if no other is left.
    fn next_server(&self, attempts: &Attempts) -> Option<(InFlightGuard, bool)> {
        let now = self.now();
        // Each search begins at another server, so that equals take turns.
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.servers.len().max(1);
        let (before, from) = self.servers.split_at_checked(first)?;
        let mut best = None;
        for server in from.iter().chain(before) {
            let Some(failures) = attempts.failures(server) else {
                continue;
            };
            let rank = (failures, !server.is_healthy(now), server.in_flight());
            match best {
                Some((lowest, _)) if lowest <= rank => {}
                _ => best = Some((rank, server)),
            }
        }
        let (_, server) = best?;
        Some((server.begin(), server.is_healthy(now)))
    }

    fn now(&self) -> u64 {
        milliseconds(self.clock.elapsed())
    }

    fn refuse(&self, fault: UpstreamFault) -> Refusal {
        let name = &self.settings.name;
        match fault {
            UpstreamFault::Connect(facts) => {
                Refusal::Unreachable(format!("upstream `{name}`: {facts}"))
            }
            UpstreamFault::NotProcessed(facts)
            | UpstreamFault::Unanswered { facts, .. }
            | UpstreamFault::Reset(facts)
            | UpstreamFault::Broken(facts) => {
                Refusal::Broken(format!("upstream `{name}`: {facts}"))
            }
            UpstreamFault::HeadTooLarge(facts) => {
                Refusal::AnswerHead(format!("upstream `{name}`: {facts}"))
            }
            UpstreamFault::TooSlow { .. } => Refusal::TooSlow,
            UpstreamFault::Body(BodyFault::TooLarge) => Refusal::BodyTooLarge,
            UpstreamFault::Body(BodyFault::TooManyFields) => {
                Refusal::TooManyFields("trailers out of bounds")
            }
            UpstreamFault::Body(BodyFault::TooSlow) => Refusal::BodyTooSlow,
            // The door answers with the denial of the token instead.
            UpstreamFault::Body(BodyFault::Broken | BodyFault::TokenEnded) => Refusal::BodyBroken,
        }
    }
}

/// Whether the upstream is at fault, and not the client or the gateway's own bounds.
fn is_upstream_failure(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Unreachable(_) | Refusal::Broken(_) | Refusal::AnswerHead(_) | Refusal::TooSlow
    )
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
