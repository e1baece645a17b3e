//! The settings in use, ready for requests: a reload replaces them as a whole.

use crate::decision::cors::CorsRules;
use crate::decision::failing::FailingCallers;
use crate::decision::policy::{Policy, RouteDecision};
use crate::decision::routes::Route;
use crate::forward::upstream::{Upstream, probe};
use crate::identity::IdentitySettings;
use crate::identity::assertion::AssertionContext;
use crate::refusal::Refusal;
use crate::request::caller::ClientAddress;
use crate::request::certificate::{CertificateHeader, FieldJoining};
use crate::request::host::HostPattern;
use crate::request::incoming::IncomingRequest;
use crate::request::peer::Peer;
use crate::request::preflight::asked_method;
use crate::settings::{
    ExtAuthzSettings, ForwardAuthSettings, ReceiverSettings, Settings, StreamSettings,
    UpstreamSettings,
};
use crate::telemetry::record::AuditRecord;
use crate::telemetry::{Telemetry, events};
use crate::transport::life::Life;
use http::HeaderMap;
use metrics::Recorder;
use portcullis_core::proof::Thumbprint;
use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::clock::Clock;
use portcullis_resource_server::{MissingPart, ResourceDocuments, ResourceServer};
use std::sync::Arc;
use std::time::Duration;

/// How often the keys of new issuers are checked for.
const KEY_CHECK: Duration = Duration::from_millis(20);

// The settings are taken apart and not kept whole behind an `Arc`: each part has one owner, and a
// request follows no further pointer.
/// Settings, ready for requests. A request keeps the generation that it began with.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) policy: Policy,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) client_address: ClientAddress,
    pub(crate) client_certificate: Option<CertificateHeader>,
    pub(crate) cors: Option<CorsRules>,
    /// Whether any route has rules of CORS, or the gateway has.
    speaks_cors: bool,
    pub(crate) identity: Arc<IdentitySettings>,
    pub(crate) streams: StreamSettings,
    pub(crate) forward_auth: Option<ForwardAuthSettings>,
    pub(crate) ext_authz: ExtAuthzSettings,
    pub(crate) receivers: Option<ReceiverSettings>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) life: Life,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) begin_traces: bool,
    pub(crate) failing: Option<Arc<FailingCallers>>,
    failing_callers: u32,
    upstreams: Vec<Arc<Upstream>>,
    token_settings: toml::Table,
    /// How the resources describe themselves (RFC 9728).
    pub(crate) documents: ResourceDocuments,
}

impl Generation {
    /// Prepares settings for requests. Keys, connections and counts of the generation before are
    /// kept where their settings are the same.
    pub(crate) fn new(
        settings: Settings,
        clock: &Arc<dyn Clock>,
        life: &Life,
        telemetry: &Arc<Telemetry>,
        before: Option<&Self>,
    ) -> Result<Self, ConfigErrors> {
        warn_of(&settings);
        let speaks_cors = speaks_cors(&settings);
        // Of these settings and not of the server, which stays where only routes change.
        let documents = settings.resource_documents();
        let (upstreams, faults) = upstreams(&settings, clock, telemetry, before);
        ConfigErrors::check(faults)?;
        // The same server goes on if its settings did not change: keys, remembered tokens and
        // revocations stay warm.
        let server = metrics::with_local_recorder(&telemetry.exposition, || match before {
            Some(before) if before.token_settings == settings.token_settings => {
                before.policy.server.clone()
            }
            Some(before) => before
                .policy
                .server
                .succeeded_by(settings.resource_server),
            None => ResourceServer::with_clock(settings.resource_server, Arc::clone(clock)),
        });
        telemetry.observe_events(&server, clock);
        server.start();
        let most = settings.failing_callers;
        let failing = failing_callers(most, before);
        let identity_before = before.map(|before| &*before.identity);
        let identity = settings.identity.succeeding(identity_before);
        Ok(Self {
            policy: Policy {
                server,
                routes: settings.routes,
                policies: settings.policies,
                public_preflight: settings.public_preflight,
            },
            hosts: settings.hosts,
            client_address: settings.client_address,
            client_certificate: settings.client_certificate,
            cors: settings.cors,
            speaks_cors,
            identity: Arc::new(identity),
            streams: settings.streams,
            forward_auth: settings.forward_auth,
            ext_authz: settings.ext_authz.unwrap_or_default(),
            receivers: settings.receivers,
            clock: Arc::clone(clock),
            life: life.clone(),
            telemetry: Arc::clone(telemetry),
            begin_traces: settings.listeners.log.begin_traces,
            failing,
            failing_callers: most,
            upstreams,
            token_settings: settings.token_settings,
            documents,
        })
    }

    /// Waits for what decisions need, such as the keys of all issuers, within a timeout.
    pub(crate) async fn wait_until_ready(&self, patience: Duration) {
        let missing = self.policy.server.missing_parts();
        if missing.is_empty() {
            return;
        }
        let facts = join(&missing);
        // At once: for an operator who looks at the log, nothing seems to happen otherwise.
        tracing::info!(
            facts,
            "new settings wait for this; the old ones decide meanwhile"
        );
        let ready = async {
            while !self.policy.server.is_ready() {
                tokio::time::sleep(KEY_CHECK).await;
            }
        };
        if tokio::time::timeout(patience, ready).await.is_err() {
            let facts = join(&self.policy.server.missing_parts());
            tracing::warn!(
                facts,
                "new settings wait no longer; tokens that need this get 503"
            );
        }
    }

    /// Authorizes a request that came to the gateway itself. A caller with repeated failures has to
    /// wait first.
    pub(crate) async fn authorize<'g>(
        &'g self,
        request: &IncomingRequest<'_>,
    ) -> Result<RouteDecision<'g>, Refusal> {
        let route = self.policy.match_route(request)?;
        // Only the decision sees the token of a cookie in `Authorization`; the upstream does not.
        let with_cookie = self.policy.with_cookie_token(request);
        let headers = with_cookie.as_ref().unwrap_or(&request.headers);
        self.refuse_failing_caller(route, request, headers)?;
        let decision = self.decide_and_record(route, request, headers).await;
        if let (Err(denial), Some(failing)) = (&decision.permit, &self.failing) {
            failing.note(request.caller, denial, self.clock.elapsed());
        }
        Ok(decision)
    }

    /// Authorizes a request that another proxy holds. Failures do not count here: the proxy would
    /// be blamed for all of its clients.
    pub(crate) async fn authorize_for_proxy<'g>(
        &'g self,
        request: &IncomingRequest<'_>,
    ) -> Result<RouteDecision<'g>, Refusal> {
        let route = self.policy.match_route(request)?;
        let with_cookie = self.policy.with_cookie_token(request);
        let headers = with_cookie.as_ref().unwrap_or(&request.headers);
        Ok(self.decide_and_record(route, request, headers).await)
    }

    /// Refuses a caller who failed too often, unless the request needs no token or has a known one.
    fn refuse_failing_caller(
        &self,
        route: &Route,
        request: &IncomingRequest<'_>,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let Some(failing) = &self.failing else {
            return Ok(());
        };
        let Some(wait) = failing.wait(request.caller, self.clock.elapsed()) else {
            return Ok(());
        };
        let needs_token = self
            .policy
            .requirement(route, request, headers)
            .is_some();
        // Callers behind one address share its failures, so a token verified before passes.
        if !needs_token || self.policy.server.knows_token(headers) {
            return Ok(());
        }
        self.telemetry.meters.limited.increment(1);
        Err(Refusal::FailingCaller(wait))
    }

    /// Decides, logs policies that failed, and writes the decision down.
    async fn decide_and_record<'g>(
        &'g self,
        route: &'g Route,
        request: &IncomingRequest<'_>,
        headers: &HeaderMap,
    ) -> RouteDecision<'g> {
        // Read once, so that the audit record has the time that the policies were told.
        let (began, now) = (self.clock.elapsed(), self.clock.now());
        let decision = self.policy.decide(route, request, headers, now).await;
        for (policy, reason) in &decision.policies.failed {
            self.telemetry.meters.policy_failures.increment(1);
            tracing::error!(
                policy,
                reason,
                request_id = request.id,
                "cannot evaluate a policy"
            );
        }
        if self.telemetry.records(&decision) {
            let took = self.clock.elapsed().saturating_sub(began);
            let (privacy, links) = (&self.telemetry.privacy, self.policy.server.code_links());
            let record = AuditRecord::new(now, request, &decision, took, privacy, links);
            self.telemetry.record(&record, &decision);
        }
        decision
    }

    /// Which pages may read the answer to a request, by its route; `None` where that is left to the
    /// upstream.
    pub(crate) fn cors_rules(&self, request: &IncomingRequest<'_>) -> Option<&CorsRules> {
        // Without CORS, no request pays for a second walk through the routes.
        if !self.speaks_cors {
            return None;
        }
        // A preflight asks about the request that follows it.
        let method = asked_method(request);
        let method = method.as_ref().unwrap_or(&request.method);
        let target = &request.target;
        let route = self
            .policy
            .routes
            .find(&target.host, &target.path, method);
        // A path that its route refuses gets 400 by the gateway's rules: a page can read that too.
        let own = route.ok().and_then(|route| route.cors.as_deref());
        own.or(self.cors.as_ref())
    }

    /// The client certificate of a request by this connection: what a trusted proxy tells, or what
    /// the connection itself showed.
    pub(crate) fn certificate(
        &self,
        peer: Peer,
        headers: &HeaderMap,
        joining: FieldJoining,
    ) -> Option<Thumbprint> {
        // A proxy's own certificate is not its client's, so it never stands in.
        if self.client_certificate.is_some() && self.client_address.is_trusted(peer) {
            return self.told_certificate(headers, joining);
        }
        peer.certificate
    }

    /// The client certificate that a trusted proxy tells. One that cannot be read is none: a token
    /// that is bound to one is refused then.
    pub(crate) fn told_certificate(
        &self,
        headers: &HeaderMap,
        joining: FieldJoining,
    ) -> Option<Thumbprint> {
        let header = self.client_certificate.as_ref()?;
        match header.read(headers, joining) {
            Ok(certificate) => certificate,
            Err(fault) => {
                tracing::warn!(
                    setting = "gateway.client_certificate",
                    facts = %fault,
                    cure = "let the proxy in front set this header once and in this format",
                    "a client certificate cannot be read"
                );
                None
            }
        }
    }

    /// The audience and the time of an assertion for this route.
    pub(crate) fn assertion_context<'r>(&self, route: &'r Route) -> AssertionContext<'r> {
        AssertionContext {
            audience: route.assertion_audience.as_deref(),
            now: self.clock.now(),
        }
    }

    /// Records the gauges.
    pub(crate) fn record(&self, recorder: &dyn Recorder) {
        metrics::with_local_recorder(recorder, || self.policy.server.record_gauges());
        for upstream in &self.upstreams {
            upstream.record(recorder);
        }
        let callers = match &self.failing {
            Some(failing) => failing.len(),
            None => 0,
        };
        events::FAILING_CALLERS.set(recorder, &[], callers as f64);
    }

    /// The upstream of a route.
    pub(crate) fn upstream(&self, route: &Route) -> Result<&Upstream, Refusal> {
        match self.upstreams.get(route.upstream) {
            Some(upstream) => Ok(upstream),
            None => {
                let facts = format!("route `{}` has no upstream", route.name);
                Err(Refusal::Unreachable(facts))
            }
        }
    }

    /// The upstream with these settings, if there is one.
    fn find_upstream(&self, settings: &UpstreamSettings) -> Option<&Arc<Upstream>> {
        let mut upstreams = self.upstreams.iter();
        upstreams.find(|upstream| upstream.settings() == settings)
    }
}

/// A reload must not pardon callers who keep failing, unless their bound itself is new.
fn failing_callers(most: u32, before: Option<&Generation>) -> Option<Arc<FailingCallers>> {
    match before {
        Some(before) if before.failing_callers == most => before.failing.clone(),
        _ => FailingCallers::new(Some(most)).map(Arc::new),
    }
}

/// Whether the gateway has rules of CORS, or any route has.
fn speaks_cors(settings: &Settings) -> bool {
    let mut routes = settings.routes.iter();
    settings.cors.is_some() || routes.any(|route| route.cors.is_some())
}

/// Warns of settings that weaken security, and of those that can never work.
fn warn_of(settings: &Settings) {
    for danger in settings.dangers() {
        tracing::warn!(setting = danger, "this setting weakens security");
    }
    // The resource server warns of its own part.
    for warning in &settings.warnings {
        let (setting, cure) = (warning.place(), warning.help());
        tracing::warn!(setting, cure, "{}", warning.message());
    }
    if let Some(forward_auth) = &settings.forward_auth
        && forward_auth.trusts_nobody()
    {
        tracing::warn!(
            cure = "name the address of the proxy that asks",
            "`forward_auth.trusted_peers` is empty, so all its requests are refused"
        );
    }
}

fn join(missing: &[MissingPart]) -> String {
    let parts: Vec<String> = missing.iter().map(ToString::to_string).collect();
    parts.join(", ")
}

fn upstreams(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    telemetry: &Telemetry,
    before: Option<&Generation>,
) -> (Vec<Arc<Upstream>>, Vec<ConfigError>) {
    let (mut upstreams, mut faults) = (Vec::new(), Vec::new());
    for settings in &settings.upstreams {
        // Kept with its connections: otherwise each reload would reconnect to every server.
        if let Some(same) = before.and_then(|before| before.find_upstream(settings)) {
            upstreams.push(Arc::clone(same));
            continue;
        }
        match Upstream::new(settings.clone(), Arc::clone(clock), &telemetry.exposition) {
            Ok(upstream) => {
                probe::start(&upstream);
                upstreams.push(upstream);
            }
            Err(fault) => faults.push(fault),
        }
    }
    (upstreams, faults)
}
