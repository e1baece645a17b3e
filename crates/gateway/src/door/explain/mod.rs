//! The door of a question: what would become of this request, and why?
//!
//! It has no listener and no upstream. A request goes through the same functions as at the proxy,
//! in the same order, and each leaves what it found in a [`RequestExplanation`]. Nothing is
//! forwarded, recorded or counted.
//!
//! It does not explain bounds that depend on other requests (callers who keep failing, slots that
//! are taken), the bounds of a listener on header fields, and the answers of upstreams.

mod explanation;
mod remedy;
mod trial;

pub use explanation::{
    CertificateExplanation, ForwardExplanation, RequestExplanation, RequestVerdict,
    ResourceExplanation, RouteExplanation, VerdictKind,
};
pub use trial::TrialRequest;

use super::cors::CorsMark;
use super::published::find_published;
use super::request_error::RequestError;
use super::websocket::take_offered_token;
use crate::decision::policy::{ForwardPermit, RouteDecision};
use crate::decision::routes::Route;
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::host::HostPattern;
use crate::request::incoming::IncomingRequest;
use crate::request::peer::Peer;
use crate::request::target::Target;
use crate::request::trace::Trace;
use crate::settings::{Settings, UpstreamSettings};
use crate::telemetry::Telemetry;
use crate::transport::life::Life;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use portcullis_core::token::AccessToken;
use portcullis_core::{ConfigErrors, Requirement};
use portcullis_resource_server::clock::Clock;
use portcullis_resource_server::{ResourceRequest, ResourceServer, request_id};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::subscriber::{NoSubscriber, with_default};
use trial::read;

/// How often the keys are checked for.
const KEY_CHECK: Duration = Duration::from_millis(20);

/// A gateway that is asked about requests, and forwards none.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_gateway::{RequestExplainer, TrialRequest, read};
/// use portcullis_resource_server::clock::{Clock, SystemClock};
/// use std::sync::Arc;
///
/// let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
/// let explainer = RequestExplainer::new(read("portcullis.toml".as_ref())?, &clock)?;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("host", "api.example".parse()?);
/// let request = TrialRequest::new("GET", "/orders/7", headers);
/// let explanation = explainer.explain(request).await;
/// println!("{:?}: {}", explanation.verdict.kind, explanation.verdict.facts);
/// # Ok(())
/// # }
/// ```
pub struct RequestExplainer {
    generation: Generation,
    upstreams: Vec<UpstreamSettings>,
    has_proxy: bool,
    /// Whether another proxy holds every request.
    is_only_asked: bool,
    is_asked_by_envoy: bool,
    /// Whether clients come over TLS, as far as the settings show it.
    is_secure: bool,
    #[expect(dead_code, reason = "dropped, it would end the generation")]
    stop: watch::Sender<bool>,
}

impl RequestExplainer {
    /// Makes settings ready for questions. Keys are fetched, and a revocation store is followed,
    /// from the first question on, or from now on within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// The settings cannot be used.
    pub fn new(mut settings: Settings, clock: &Arc<dyn Clock>) -> Result<Self, ConfigErrors> {
        // First: what follows would create the audit file even if nothing is ever written.
        settings.leave_no_trace();
        let listeners = &settings.listeners;
        let has_proxy = listeners.listen.is_some();
        let is_asked_by_envoy = listeners.ext_authz.is_some();
        let is_asked = listeners.forward_auth.is_some() || is_asked_by_envoy;
        // A proxy that asks stands at the edge, where plain HTTP is the exception.
        let is_secure = listeners.tls.is_some() || !has_proxy;
        // No server is probed: nothing is forwarded.
        let upstreams = std::mem::take(&mut settings.upstreams);
        let (stop, stopping) = watch::channel(false);
        let life = Life::new(stopping);
        let telemetry = Arc::new(Telemetry::new(&settings.listeners.log)?);
        let generation = Generation::new(settings, clock, &life, &telemetry, None)?;
        life.set_server(generation.policy.server.clone());
        Ok(Self {
            generation,
            upstreams,
            has_proxy,
            is_only_asked: is_asked && !has_proxy,
            is_asked_by_envoy,
            is_secure,
            stop,
        })
    }

    /// The server that decides about tokens.
    pub fn resource_server(&self) -> &ResourceServer {
        &self.generation.policy.server
    }

    /// A host that is served: the first of `gateway.hosts` that is no pattern.
    pub fn usual_host(&self) -> Option<&str> {
        let mut hosts = self.generation.hosts.iter();
        hosts.find_map(|pattern| match pattern {
            HostPattern::Exact(name) => Some(&**name),
            HostPattern::Below(_) => None,
        })
    }

    /// Waits until the keys of all issuers are there, within a timeout. A gateway that has run for
    /// a while has them.
    pub async fn wait_for_keys(&self, patience: Duration) {
        let server = self.resource_server();
        let ready = async {
            while !server.is_ready() {
                tokio::time::sleep(KEY_CHECK).await;
            }
        };
        // Without them the explanation says what is missing.
        _ = tokio::time::timeout(patience, ready).await;
    }

    /// What would become of a request, and why.
    pub async fn explain(&self, request: TrialRequest) -> RequestExplanation {
        let id = request_id(request.headers());
        let trace = Trace::read(request.headers());
        let mut explanation = RequestExplanation::new(&request);
        let mut mark = CorsMark::without_route(&self.generation, request.headers());
        let verdict = self.walk(request, &id, trace.as_ref(), &mut mark, &mut explanation);
        let mut verdict = match verdict.await {
            Ok(verdict) => verdict,
            Err(error) => {
                RequestVerdict::of(error, self.resource_server(), id, &explanation.demands)
            }
        };
        // Of a forwarded request, the upstream's answer is marked.
        if verdict.status.is_some() {
            mark.add(&mut verdict.headers);
        }
        explanation.verdict = verdict;
        explanation
    }

    /// The way of a request through the proxy, up to the upstream.
    async fn walk<'g>(
        &'g self,
        request: TrialRequest,
        id: &str,
        trace: Option<&Trace>,
        mark: &mut CorsMark<'g>,
        explanation: &mut RequestExplanation,
    ) -> Result<RequestVerdict, RequestError> {
        let generation = &self.generation;
        let peer = Peer {
            secure: self.is_secure,
            ..request.peer()
        };
        let (mut parts, target) = read(request, &generation.hosts)?;
        // A DPoP proof names the scheme, so without it every bound token would be refused.
        let target = target.over(generation.client_address.scheme(peer, &parts.headers));
        explanation.note_target(&target);
        // The doors for other proxies serve no keys, and take no token out of a handshake.
        if self.is_only_asked {
            self.refuse_forged(&parts.headers)?;
        } else {
            if let Some(document) = find_published(generation, &parts.method, &target, mark) {
                return Ok(RequestVerdict::of_answer(&document));
            }
            take_offered_token(&mut parts, self.resource_server());
        }
        let Parts {
            method, headers, ..
        } = parts;
        let incoming = IncomingRequest {
            method,
            target,
            has_body: declared_bytes(&headers) > 0,
            caller: generation.client_address.caller(peer, &headers),
            // Of the connection, if it is known; else what the proxy in front would tell.
            certificate: peer
                .certificate
                .or_else(|| explanation.note_certificate(generation, &headers)),
            headers,
            id,
            trace,
        };
        *mark = CorsMark::by_route(generation, &incoming);
        // A page that is refused here did not ask, so the log must not say so.
        let preflight = with_default(NoSubscriber::new(), || mark.answer_preflight(&incoming));
        if let Some(preflight) = preflight {
            return Ok(RequestVerdict::of_answer(&preflight));
        }
        // What another proxy holds cannot be cleaned, so it is refused.
        if self.is_only_asked {
            let identity = &generation.identity;
            identity.refuse_named_away(&incoming.headers)?;
        }
        let decision = self.decide(&incoming, explanation).await?;
        let RouteDecision { route, permit, .. } = decision;
        Ok(self.verdict_with_permit(route, &permit?, &incoming)?)
    }

    /// Refuses identity headers of the client, if no door can have them removed.
    fn refuse_forged(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(asking) = &self.generation.forward_auth else {
            return Ok(());
        };
        // Envoy removes headers by name, so its door lets such a request through.
        if self.is_asked_by_envoy {
            return Ok(());
        }
        let own = asking.proxy.own_identity_like();
        self.generation.identity.refuse_forged(headers, own)
    }

    /// The verdict about a request with a permit: a bound can still refuse it.
    fn verdict_with_permit(
        &self,
        route: &Route,
        permit: &ForwardPermit,
        incoming: &IncomingRequest<'_>,
    ) -> Result<RequestVerdict, Refusal> {
        let generation = &self.generation;
        // The proxy checks the body before it writes headers: of two faults, it reports this one.
        if self.has_proxy {
            route.check_body(declared_bytes(&incoming.headers))?;
        }
        let told = generation
            .identity
            .headers(permit.token(), generation.assertion_context(route))?;
        let mut verdict = RequestVerdict::of_forwarding(told);
        if self.has_proxy {
            verdict.forward = self.forward(route, &incoming.target, verdict.forward)?;
        }
        Ok(verdict)
    }

    /// The decision, and in the explanation all that led to it.
    async fn decide(
        &self,
        incoming: &IncomingRequest<'_>,
        explanation: &mut RequestExplanation,
    ) -> Result<RouteDecision<'_>, Refusal> {
        let policy = &self.generation.policy;
        let route = policy.match_route(incoming)?;
        let resource = policy.resource(&incoming.target);
        explanation.note_route(&policy.routes, route, incoming);
        explanation.note_resource(resource);
        let with_cookie = policy.with_cookie_token(incoming);
        let headers = with_cookie.as_ref().unwrap_or(&incoming.headers);
        let requirement = policy.requirement(route, incoming, headers);
        let requirement = match resource {
            Some(resource) => requirement.map(|it| Cow::Owned(resource.demand(it))),
            None => requirement.map(Cow::Borrowed),
        };
        if let Some(requirement) = &requirement {
            explanation.needs_token = true;
            let caller = self
                .explain_token(requirement, incoming, headers, explanation)
                .await;
            self.explain_demands(requirement, route, incoming, caller, explanation);
        }
        let now = self.generation.clock.now();
        let decision = policy.decide(route, incoming, headers, now).await;
        explanation.note_policies(&decision.policies);
        explanation.note_proof(&decision.permit);
        // Only the request shows who sends a token that is bound.
        if let (Some(requirement), Ok(permit)) = (&requirement, &decision.permit)
            && explanation.caller.is_none()
        {
            let caller = permit.token().cloned();
            self.explain_demands(requirement, route, incoming, caller, explanation);
        }
        Ok(decision)
    }

    /// The checks of the token, and its caller if they pass.
    async fn explain_token(
        &self,
        requirement: &Requirement,
        incoming: &IncomingRequest<'_>,
        headers: &HeaderMap,
        explanation: &mut RequestExplanation,
    ) -> Option<AccessToken> {
        let server = self.resource_server();
        let query = incoming.target.query.as_deref();
        let credential = server.find_credential(headers, query).ok()?;
        let url = self.generation.policy.effective_url(incoming);
        let request = ResourceRequest {
            method: &incoming.method,
            url: url.as_ref(),
            certificate: incoming.certificate.as_ref(),
            ..ResourceRequest::of_headers(headers, query)
        };
        let token = server.explain_request(credential, &request).await;
        explanation.token = Some(token);
        let caller = server.explain_caller(credential, requirement).await;
        caller.ok()
    }

    /// What is demanded, beside what the caller has.
    fn explain_demands(
        &self,
        requirement: &Requirement,
        route: &Route,
        incoming: &IncomingRequest<'_>,
        caller: Option<AccessToken>,
        explanation: &mut RequestExplanation,
    ) {
        let policy = &self.generation.policy;
        let now = self.generation.clock.now();
        let bound = policy.bind(requirement, route, incoming, now);
        let requirement = match &bound {
            Some(bound) => bound.requirement(),
            None => requirement,
        };
        explanation.demands = requirement.explain(caller.as_ref(), now);
        explanation.caller = caller;
        if let Some(bound) = &bound {
            explanation.note_policies(&bound.report());
        }
    }

    /// Where a request goes that may pass.
    fn forward(
        &self,
        route: &Route,
        target: &Target,
        forward: Option<ForwardExplanation>,
    ) -> Result<Option<ForwardExplanation>, Refusal> {
        let Some(upstream) = self.upstreams.get(route.upstream) else {
            return Ok(forward);
        };
        let target = route.upstream_target(target, &upstream.base_path)?;
        Ok(forward.map(|forward| ForwardExplanation {
            upstream: Some(upstream.name.to_string()),
            target: Some(target.to_string()),
            ..forward
        }))
    }
}

/// The size that a request says its body has; one byte at least where it says none.
fn declared_bytes(headers: &HeaderMap) -> u64 {
    if headers.contains_key(TRANSFER_ENCODING) {
        return 1;
    }
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|it| it.to_str().ok());
    // A listener refuses a length that is no number; here it only must not look like no body.
    declared.map_or(0, |text| text.parse().unwrap_or(1))
}

impl fmt::Debug for RequestExplainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestExplainer")
            .field(self.resource_server())
            .finish()
    }
}
