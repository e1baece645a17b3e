//! What one generation of the settings comes to: replaced as a whole by a reload.

use crate::decision::cedar::Occasion;
use crate::decision::failing::FailingCallers;
use crate::decision::policy::{Inquiry, Policy, Verdict};
use crate::decision::routes::Route;
use crate::forward::upstream::Upstream;
use crate::identity::IdentitySettings;
use crate::identity::assertion::Addressed;
use crate::refusal::Refusal;
use crate::request::caller::ClientAddress;
use crate::request::host::HostPattern;
use crate::settings::{ExtAuthzSettings, ForwardAuthSettings, Settings, StreamSettings};
use crate::telemetry::record::{Finding, Named};
use crate::telemetry::{Telemetry, events};
use crate::transport::life::Life;
use metrics::Recorder;
use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::ResourceServer;
use portcullis_resource_server::clock::Clock;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait before looking again.
const BREATH: Duration = Duration::from_millis(20);

/// Settings, ready to be used by requests. A request keeps the one that it began with.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) policy: Policy,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) client_address: ClientAddress,
    pub(crate) identity: Arc<IdentitySettings>,
    pub(crate) streams: StreamSettings,
    pub(crate) forward_auth: Option<ForwardAuthSettings>,
    pub(crate) ext_authz: ExtAuthzSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) life: Life,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) begin_traces: bool,
    failing: Option<Arc<FailingCallers>>,
    failing_callers: u32,
    upstreams: Vec<Arc<Upstream>>,
    token_settings: toml::Table,
}

impl Generation {
    /// Makes what the settings say. Of a generation before, the keys and the connections are kept
    /// where their settings are the same.
    pub(crate) fn new(
        settings: Settings,
        clock: &Arc<dyn Clock>,
        life: &Life,
        telemetry: &Arc<Telemetry>,
        before: Option<&Self>,
    ) -> Result<Self, ConfigErrors> {
        warn_of(&settings);
        let (upstreams, faults) = upstreams(&settings, clock, telemetry, before);
        ConfigErrors::check(faults)?;
        let server = metrics::with_local_recorder(&telemetry.exposition, || match before {
            Some(before) if before.token_settings == settings.token_settings => {
                before.policy.server.clone()
            }
            Some(before) => before.policy.server.succeeded_by(settings.resource_server),
            None => ResourceServer::with_clock(settings.resource_server, Arc::clone(clock)),
        });
        server.start();
        let most = settings.failing_callers;
        let failing = match before.filter(|before| before.failing_callers == most) {
            Some(before) => before.failing.clone(),
            None => FailingCallers::new(Some(most)).map(Arc::new),
        };
        Ok(Self {
            policy: Policy {
                server,
                routes: settings.routes,
                policies: settings.policies,
                public_preflight: settings.public_preflight,
            },
            hosts: settings.hosts,
            client_address: settings.client_address,
            identity: Arc::new(
                settings
                    .identity
                    .succeeding(before.map(|before| &*before.identity)),
            ),
            streams: settings.streams,
            forward_auth: settings.forward_auth,
            ext_authz: settings.ext_authz.unwrap_or_default(),
            clock: Arc::clone(clock),
            life: life.clone(),
            telemetry: Arc::clone(telemetry),
            begin_traces: settings.listeners.log.begin_traces,
            failing,
            failing_callers: most,
            upstreams,
            token_settings: settings.token_settings,
        })
    }

    /// Waits for the keys of all issuers, but not for ever.
    pub(crate) async fn ready(&self, patience: Duration) {
        let ready = async {
            while !self.policy.server.is_ready() {
                tokio::time::sleep(BREATH).await;
            }
        };
        if tokio::time::timeout(patience, ready).await.is_err() {
            tracing::warn!(
                "the keys of an issuer are still missing: its tokens get 503 until they are there"
            );
        }
    }

    /// Decides, unless the caller failed too often, and writes the decision down.
    pub(crate) async fn decide<'p>(
        &'p self,
        inquiry: Inquiry<'_>,
        named: Named<'_>,
    ) -> Result<Verdict<'p>, Refusal> {
        let began = self.clock.elapsed();
        let presented = inquiry.presented(&self.policy.server);
        let inquiry = inquiry.with(presented.as_ref());
        if let Some(wait) = self
            .failing
            .as_ref()
            .and_then(|failing| failing.wait(named.caller, began))
            && self.policy.asks_for_token(inquiry)
            && !self.policy.server.knows_token(inquiry.headers)
        {
            self.telemetry.meters.limited.increment(1);
            return Err(Refusal::FailingCaller(wait));
        }
        let verdict = self.decide_presented(inquiry, named).await?;
        if let (Err(denial), Some(failing)) = (&verdict.passage, &self.failing) {
            failing.note(named.caller, denial, self.clock.elapsed());
        }
        Ok(verdict)
    }

    /// Decides and writes the decision down, however often the caller failed: for a proxy that asks
    /// about the requests of others, and would be held to account for all of them.
    pub(crate) async fn decide_for<'p>(
        &'p self,
        inquiry: Inquiry<'_>,
        named: Named<'_>,
    ) -> Result<Verdict<'p>, Refusal> {
        let presented = inquiry.presented(&self.policy.server);
        self.decide_presented(inquiry.with(presented.as_ref()), named)
            .await
    }

    /// Decides about a request whose token is in a header, and writes the decision down.
    async fn decide_presented<'p>(
        &'p self,
        inquiry: Inquiry<'_>,
        named: Named<'_>,
    ) -> Result<Verdict<'p>, Refusal> {
        let began = self.clock.elapsed();
        let occasion = Occasion {
            now: self.clock.now(),
            caller: named.caller.address(),
        };
        let verdict = self.policy.decide(inquiry, occasion).await?;
        for (policy, reason) in &verdict.consulted.failed {
            self.telemetry.meters.policy_failures.increment(1);
            tracing::error!(
                policy,
                reason,
                request_id = named.request_id,
                "a policy cannot be evaluated"
            );
        }
        if let Some(audit) = &self.telemetry.audit {
            let finding = Finding::of(&verdict, self.clock.elapsed().saturating_sub(began));
            audit.write(occasion.now, inquiry, named, finding);
        }
        Ok(verdict)
    }

    /// For whom an assertion is that is made now for this route.
    pub(crate) fn addressed<'r>(&self, route: &'r Route) -> Addressed<'r> {
        Addressed {
            audience: route.assertion_audience.as_deref(),
            now: self.clock.now(),
        }
    }

    /// The states among the figures.
    pub(crate) fn record(&self, recorder: &dyn Recorder) {
        metrics::with_local_recorder(recorder, || self.policy.server.record_gauges());
        for upstream in &self.upstreams {
            upstream.record(recorder);
        }
        let callers = self.failing.as_ref().map_or(0, |failing| failing.len());
        events::FAILING_CALLERS.set(recorder, &[], callers as f64);
    }

    /// The servers that a route's requests go to.
    pub(crate) fn upstream(&self, route: &Route) -> Result<&Upstream, Refusal> {
        let upstream = self
            .upstreams
            .get(route.upstream)
            .map(|upstream| &**upstream);
        upstream
            .ok_or_else(|| Refusal::Unreachable(format!("route `{}` has no upstream", route.name)))
    }
}

/// Says at the start what loosens security, and what can never work.
fn warn_of(settings: &Settings) {
    for danger in settings.dangers() {
        tracing::warn!(setting = danger, "a setting that loosens security");
    }
    if let Some(forward_auth) = &settings.forward_auth
        && forward_auth.trusts_nobody()
    {
        tracing::warn!(
            cure = "name the address of the proxy that asks",
            "`forward_auth.trusted_peers` is empty: every question is refused"
        );
    }
}

fn upstreams(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    telemetry: &Telemetry,
    before: Option<&Generation>,
) -> (Vec<Arc<Upstream>>, Vec<ConfigError>) {
    let (mut upstreams, mut faults) = (Vec::new(), Vec::new());
    let kept = before
        .map(|before| before.upstreams.as_slice())
        .unwrap_or_default();
    for settings in &settings.upstreams {
        match kept.iter().find(|upstream| upstream.settings() == settings) {
            Some(same) => upstreams.push(Arc::clone(same)),
            None => match Upstream::new(settings.clone(), Arc::clone(clock), &telemetry.exposition)
            {
                Ok(upstream) => upstreams.push(upstream),
                Err(fault) => faults.push(fault),
            },
        }
    }
    (upstreams, faults)
}
