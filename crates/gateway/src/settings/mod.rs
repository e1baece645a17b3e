//! The gateway's settings as meant: parsed, complete and free of faults.

mod cedar;
mod client_address;
mod client_certificate;
mod comparison;
mod cors;
mod door;
mod doors;
mod limits;
mod listeners;
mod log;
mod lookup;
mod placeholders;
mod receivers;
mod require;
mod resources;
mod route;
mod scalar;
mod security_profile;
mod summary;
mod tls;
mod upstream;

pub use comparison::{ComparedRequest, DemandChange, RequestDemand, SettingsComparison};
pub(crate) use door::{Address, DoorSettings};
pub(crate) use doors::{CHECK_METHOD, ExtAuthzSettings, ForwardAuthSettings, FrontProxy};
pub(crate) use limits::{LimitSettings, StreamSettings};
pub(crate) use listeners::ListenerSettings;
pub(crate) use log::{Destination, LogSettings, SubjectSetting};
pub(crate) use receivers::ReceiverSettings;
pub use summary::{SummaryRow, SummarySection};
pub(crate) use tls::TlsSettings;
pub(crate) use upstream::{HealthSettings, HostSeen, Protocol, UpstreamSettings};

use crate::config::{CedarConfig, Config, GatewayConfig, RouteConfig};
use crate::decision::cedar::{Policies, PolicyFile};
use crate::decision::cors::CorsRules;
use crate::decision::routes::Routes;
use crate::identity::IdentitySettings;
use crate::request::caller::ClientAddress;
use crate::request::certificate::CertificateHeader;
use crate::request::host::HostPattern;
use client_certificate::with_secret_names;
use doors::Doors;
use listeners::listeners;
use portcullis_core::jose::Jwks;
use portcullis_core::{ConfigError, ConfigErrors, Faults};
use portcullis_resource_server::config::ConfigOrigin;
use portcullis_resource_server::{KnownAudiences, ResourceServer};
use receivers::{Deployment, ReceiverDemand};
use scalar::hosts;
use security_profile::ProfileDemand;
use std::io::IsTerminal as _;
use std::time::Duration;
use upstream::Upstreams;

/// What a gateway goes by. Made from a [`Config`]; no request ever finds a fault in it.
#[derive(Debug)]
pub struct Settings {
    pub(crate) resource_server: portcullis_resource_server::Settings,
    pub(crate) token_settings: toml::Table,
    pub(crate) listeners: ListenerSettings,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) client_address: ClientAddress,
    /// Where proxies in front tell the client's certificate.
    pub(crate) client_certificate: Option<CertificateHeader>,
    pub(crate) public_preflight: bool,
    pub(crate) cors: Option<CorsRules>,
    pub(crate) identity: IdentitySettings,
    pub(crate) streams: StreamSettings,
    pub(crate) forward_auth: Option<ForwardAuthSettings>,
    pub(crate) ext_authz: Option<ExtAuthzSettings>,
    pub(crate) receivers: Option<ReceiverSettings>,
    /// Most refusals of a caller in a minute; nought for no bound.
    pub(crate) failing_callers: u32,
    pub(crate) routes: Routes,
    pub(crate) policies: Policies,
    /// The policies as written, to see whether other settings have the same.
    pub(crate) policy_files: Option<(CedarConfig, Vec<PolicyFile>)>,
    pub(crate) upstreams: Vec<UpstreamSettings>,
    pub(crate) dangers: Vec<&'static str>,
    /// What is hardly meant in the gateway's own tables.
    pub(crate) warnings: Vec<ConfigError>,
}

impl TryFrom<Config> for Settings {
    type Error = ConfigErrors;

    fn try_from(config: Config) -> Result<Self, ConfigErrors> {
        let has_proxy = doors::has_proxy(&config.gateway);
        Self::read(config, has_proxy, Deployment::Gateway)
    }
}

impl Settings {
    /// What an application goes by that decides inside itself: everything about tokens, and the
    /// routes. Listeners and upstreams are a gateway's, so no table `[gateway]` is needed. Audit
    /// records go only where `[log]` says so.
    ///
    /// # Errors
    ///
    /// All faults of the settings.
    pub fn for_application(mut config: Config) -> Result<Self, ConfigErrors> {
        let tables = &mut config.gateway;
        tables.forward_auth = None;
        tables.ext_authz = None;
        // The standard output is the application's.
        tables
            .log
            .audit
            .get_or_insert_with(|| "none".to_owned());
        let has_cors = tables
            .gateway
            .as_ref()
            .is_some_and(|it| it.cors.is_some());
        let mut settings = Self::read(config, false, Deployment::Application)?;
        if has_cors {
            let warning = ConfigError::expected("gateway.cors", "rules for a gateway")
                .found_as("an application, which answers its pages itself")
                .help("let the CORS layer of the framework answer, outside the guard");
            settings.warnings.push(warning);
        }
        // Nothing is forwarded, so no server is probed.
        settings.upstreams.clear();
        Ok(settings)
    }

    fn read(config: Config, has_proxy: bool, deployment: Deployment) -> Result<Self, ConfigErrors> {
        let audiences = KnownAudiences::of(&config.resource_server);
        let demands = client_certificate::certificate_demands(&config);
        let faults = Faults::default();
        let profile = ProfileDemand::of(&config, has_proxy, &faults);
        let tokens = portcullis_resource_server::Settings::try_from(config.resource_server);
        let policies = cedar::policies(&config.gateway, &faults);
        let policy_files = cedar::files(&config.gateway);
        let tables = config.gateway;
        let demand = ReceiverDemand::of(&tokens, has_proxy, deployment);
        let mut doors = Doors::read(&tables, demand, &faults);
        let gateway = read_gateway(tables.gateway, has_proxy, &faults);
        let within = faults.at("gateway");
        let log = log::settings(tables.log, &faults.at("log"));
        let listeners = listeners(&gateway, has_proxy, &doors, log, &faults);
        let mut upstreams = Upstreams::new(tables.upstream, gateway.timeouts.connect, &faults);
        let default = default_upstream(&gateway, has_proxy, &mut upstreams, &within);
        resources::check_audiences(&tables.route, &audiences, &faults);
        doors.dangers.extend(dangers(
            &gateway,
            tables.route.iter().any(takes_plain_pages),
        ));
        let mut routes = route::routes(tables.route, &gateway, default, &mut upstreams, &faults);
        profile.check_routes(&mut routes, &faults);
        let hosts = hosts(&gateway.hosts, &within);
        let client_address = client_address::client_address(&gateway, &within);
        let client_certificate = client_certificate::client_certificate(&gateway, &doors, &within);
        let has_others = doors.ext_authz.is_some() || listeners.asks_clients();
        client_certificate::check_demands(&demands, &client_certificate, has_others, &faults);
        let cors = cors::cors(&gateway, &within);
        let streams = StreamSettings::read(&gateway.limits, &gateway.timeouts, &within);
        placeholders::warn(&gateway, &upstreams, &within);
        let identity = faults.note(IdentitySettings::try_from(gateway.identity));
        client_certificate::check_name(&client_certificate, &identity, &tokens, &within);
        let (tokens, identity) = judge(&config.origin, tokens, identity, &faults)?;
        let resource_server = without_idle_warnings(tokens, &routes);
        let identity = with_secret_names(identity, &resource_server, client_certificate.as_ref());
        Ok(Self {
            resource_server,
            token_settings: config.token_settings,
            listeners,
            hosts,
            client_address,
            client_certificate,
            public_preflight: gateway.public_preflight,
            cors,
            identity,
            streams,
            forward_auth: doors.forward_auth.map(|(_, settings)| settings),
            ext_authz: doors.ext_authz.map(|(_, settings)| settings),
            receivers: doors.receivers.settings,
            failing_callers: gateway.limits.failing_callers.unwrap_or(300),
            routes,
            policies,
            policy_files,
            upstreams: upstreams.into_list(),
            dangers: doors.dangers,
            warnings: faults.take_warnings(),
        })
    }
}

/// Without the warning that anybody can have a valid token, where that alone opens nothing.
fn without_idle_warnings(
    tokens: portcullis_resource_server::Settings,
    routes: &Routes,
) -> portcullis_resource_server::Settings {
    match routes.demand_more_than_a_token() {
        true => tokens.without_admission_warnings(),
        false => tokens,
    }
}

/// The upstream of routes that name none. Without a proxy nothing goes to one.
fn default_upstream(
    gateway: &GatewayConfig,
    has_proxy: bool,
    upstreams: &mut Upstreams,
    within: &Faults,
) -> usize {
    if has_proxy {
        upstreams.default(gateway.upstream.as_deref(), within)
    } else {
        0
    }
}

/// The settings of tokens and of identity, if there is no fault in the whole document.
fn judge<T>(
    origin: &ConfigOrigin,
    tokens: Result<T, ConfigErrors>,
    identity: Option<IdentitySettings>,
    faults: &Faults,
) -> Result<(T, IdentitySettings), ConfigErrors> {
    let own = origin.judge(faults);
    // The faults of the tokens' part are judged already, by what could be read of it.
    let all = Faults::default();
    let tokens = all.note(tokens);
    all.note(own);
    all.finish(tokens.zip(identity))
}

/// Whether a route takes pages that come over the network in clear.
fn takes_plain_pages(route: &RouteConfig) -> bool {
    let cors = route.cors.as_ref();
    cors.is_some_and(|cors| cors.danger_plain_http_origins)
}

/// The settings of `[gateway]` that loosen security.
fn dangers(gateway: &GatewayConfig, has_plain_pages: bool) -> Vec<&'static str> {
    let mut dangers = Vec::new();
    if !gateway.identity.danger_pass.is_empty() {
        dangers.push("gateway.identity.danger_pass");
    }
    if gateway.danger_plain_http {
        dangers.push("gateway.danger_plain_http");
    }
    if let Some(cors) = &gateway.cors
        && cors.danger_plain_http_origins
    {
        dangers.push("gateway.cors.danger_plain_http_origins");
    }
    if has_plain_pages {
        dangers.push("route.cors.danger_plain_http_origins");
    }
    dangers
}

impl Settings {
    /// Whether the log, on standard error, is to be JSON.
    pub fn log_is_json(&self) -> bool {
        self.listeners
            .log
            .format
            .is_json(std::io::stderr().is_terminal())
    }

    /// A resource server by these settings alone: nothing listens, and nothing is fetched yet.
    pub fn to_resource_server(&self) -> ResourceServer {
        ResourceServer::with_settings(self.resource_server.clone())
    }

    /// The settings that loosen security, by name.
    pub fn dangers(&self) -> &[&'static str] {
        &self.dangers
    }

    /// Writes and counts nothing: for questions about requests that nobody sent.
    pub(crate) fn leave_no_trace(&mut self) {
        self.listeners.log.audit = Destination::None;
        self.failing_callers = 0;
        self.resource_server = self.resource_server.clone().without_shared_proofs();
    }

    /// What can be used, but is hardly meant.
    pub fn config_warnings(&self) -> impl Iterator<Item = &ConfigError> {
        let tokens = self.resource_server.warnings();
        tokens.iter().chain(&self.warnings)
    }

    /// Fixes the keys of all issuers, and asks nobody about tokens or groups. Only a revocation
    /// store would still be asked.
    #[must_use]
    pub fn with_fixed_keys(mut self, keys: &Jwks) -> Self {
        self.resource_server = self
            .resource_server
            .with_fixed_keys(keys)
            .without_questions();
        self
    }

    /// Waits so long for keys: for a person, who would rather wait than not know.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.resource_server = self.resource_server.with_patience(patience);
        self
    }

    /// Fixes the keys of one issuer: nothing is fetched for it. For tests, and for machines without
    /// a network. An issuer that is not configured changes nothing.
    #[must_use]
    pub fn with_fixed_keys_of(mut self, issuer: &str, keys: &Jwks) -> Self {
        self.resource_server = self.resource_server.with_fixed_keys_of(issuer, keys);
        self
    }
}

/// The table, or what stands in for one that is not there.
fn read_gateway(written: Option<GatewayConfig>, has_proxy: bool, faults: &Faults) -> GatewayConfig {
    if let Some(written) = written {
        return written;
    }
    if !has_proxy {
        return GatewayConfig::default();
    }
    faults
        .expected("gateway", "a table `[gateway]`")
        .found_as("none")
        .given_elsewhere(&["forward_auth", "ext_authz"])
        .help(
            "write `[gateway]` with `upstream = \"http://127.0.0.1:8000\"`, or open another door",
        );
    // One fault for a missing table is enough: its upstream is not asked for again.
    GatewayConfig {
        upstream: Some("http://127.0.0.1:8000".to_owned()),
        ..GatewayConfig::default()
    }
}

#[cfg(test)]
mod tests;
