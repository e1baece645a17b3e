//! What one generation of the settings comes to: replaced as a whole by a reload.

use crate::decide::Policy;
use crate::host::HostPattern;
use crate::identity::IdentitySettings;
use crate::life::Life;
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::settings::{ExtAuthzSettings, ForwardAuthSettings, Settings};
use crate::upstream::Upstream;
use ipnet::IpNet;
use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::ResourceServer;
use portcullis_resource_server::clock::Clock;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait before looking again.
const BREATH: Duration = Duration::from_millis(20);

/// Settings, ready to be used by requests. A request keeps the one that it began with.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) policy: Policy,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) identity: Arc<IdentitySettings>,
    pub(crate) body_timeout: Duration,
    pub(crate) forward_auth: Option<ForwardAuthSettings>,
    pub(crate) ext_authz: ExtAuthzSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) life: Life,
    upstreams: Vec<Arc<Upstream>>,
    token_settings: toml::Table,
}

impl Running {
    /// Makes what the settings say. Of a generation before, the keys and the connections are kept where their
    /// settings are the same.
    pub(crate) fn new(
        settings: Settings,
        clock: &Arc<dyn Clock>,
        life: &Life,
        before: Option<&Self>,
    ) -> Result<Self, ConfigErrors> {
        for danger in settings.dangers() {
            tracing::warn!(setting = danger, "a setting that loosens security");
        }
        if settings.forward_auth.as_ref().is_some_and(ForwardAuthSettings::trusts_nobody) {
            tracing::warn!(
                cure = "name the address of the proxy that asks",
                "`forward_auth.trusted_peers` is empty: every question is refused"
            );
        }
        let (upstreams, faults) = upstreams(&settings, clock, before);
        ConfigErrors::check(faults)?;
        let server = match before {
            Some(before) if before.token_settings == settings.token_settings => before.policy.server.clone(),
            Some(before) => before.policy.server.succeeded_by(settings.resource_server),
            None => ResourceServer::with_clock(settings.resource_server, Arc::clone(clock)),
        };
        server.start();
        Ok(Self {
            policy: Policy { server, routes: settings.routes, public_preflight: settings.public_preflight },
            hosts: settings.hosts,
            trusted_proxies: settings.trusted_proxies,
            identity: Arc::new(settings.identity),
            body_timeout: settings.body_timeout,
            forward_auth: settings.forward_auth,
            ext_authz: settings.ext_authz.unwrap_or_default(),
            clock: Arc::clone(clock),
            life: life.clone(),
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

    /// The servers that a route's requests go to.
    pub(crate) fn upstream(&self, route: &Route) -> Result<&Upstream, Refusal> {
        let upstream = self.upstreams.get(route.upstream).map(|upstream| &**upstream);
        upstream.ok_or_else(|| Refusal::Unreachable(format!("route `{}` has no upstream", route.name)))
    }

    /// Whether what this neighbour says about those before it is believed.
    pub(crate) fn is_trusted(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }
}

fn upstreams(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    before: Option<&Running>,
) -> (Vec<Arc<Upstream>>, Vec<ConfigError>) {
    let (mut upstreams, mut faults) = (Vec::new(), Vec::new());
    let kept = before.map(|before| before.upstreams.as_slice()).unwrap_or_default();
    for settings in &settings.upstreams {
        match kept.iter().find(|upstream| upstream.settings() == settings) {
            Some(same) => upstreams.push(Arc::clone(same)),
            None => match Upstream::new(settings.clone(), Arc::clone(clock)) {
                Ok(upstream) => upstreams.push(upstream),
                Err(fault) => faults.push(fault),
            },
        }
    }
    (upstreams, faults)
}
