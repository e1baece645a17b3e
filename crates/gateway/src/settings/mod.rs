//! The gateway's settings as meant: parsed, complete and free of faults.

mod cedar;
mod client_address;
mod doors;
mod limits;
mod log;
mod lookup;
mod placeholders;
mod require;
mod route;
mod scalar;
mod summary;
mod tls;
mod upstream;

pub(crate) use doors::{
    Address, CHECK_METHOD, DoorSettings, ExtAuthzSettings, ForwardAuthSettings, FrontProxy,
};
pub(crate) use limits::{LimitSettings, StreamSettings};
pub(crate) use log::{Destination, LogSettings, SubjectSetting};
pub(crate) use tls::TlsSettings;
pub(crate) use upstream::{HealthSettings, HostSeen, Protocol, UpstreamSettings};

use crate::config::{Config, GatewayConfig};
use crate::decision::cedar::Policies;
use crate::decision::routes::Routes;
use crate::identity::IdentitySettings;
use crate::request::caller::ClientAddress;
use crate::request::host::HostPattern;
use doors::Doors;
use portcullis_core::jose::Jwks;
use portcullis_core::{ConfigError, ConfigErrors, Faults};
use portcullis_resource_server::config::ConfigOrigin;
use scalar::hosts;
use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tls::tls_settings;
use upstream::Upstreams;

/// What a gateway goes by. Made from a [`Config`]; no request ever finds a fault in it.
#[derive(Debug)]
pub struct Settings {
    pub(crate) resource_server: portcullis_resource_server::Settings,
    pub(crate) token_settings: toml::Table,
    pub(crate) listeners: ListenerSettings,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) client_address: ClientAddress,
    pub(crate) public_preflight: bool,
    pub(crate) identity: IdentitySettings,
    pub(crate) streams: StreamSettings,
    pub(crate) forward_auth: Option<ForwardAuthSettings>,
    pub(crate) ext_authz: Option<ExtAuthzSettings>,
    /// Most refusals of a caller in a minute; nought for no bound.
    pub(crate) failing_callers: u32,
    pub(crate) routes: Routes,
    pub(crate) policies: Policies,
    pub(crate) upstreams: Vec<UpstreamSettings>,
    pub(crate) dangers: Vec<&'static str>,
    /// What is hardly meant in the gateway's own tables.
    pub(crate) warnings: Vec<ConfigError>,
}

/// What is fixed at the start: a reload does not change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListenerSettings {
    /// Where the reverse proxy listens; `None` where there is none.
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) forward_auth: Option<DoorSettings>,
    pub(crate) ext_authz: Option<DoorSettings>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) limits: LimitSettings,
    pub(crate) log: LogSettings,
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

impl TryFrom<Config> for Settings {
    type Error = ConfigErrors;

    fn try_from(config: Config) -> Result<Self, ConfigErrors> {
        let has_proxy = doors::has_proxy(&config.gateway);
        Self::read(config, has_proxy)
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
        tables.log.audit.get_or_insert_with(|| "none".to_owned());
        let mut settings = Self::read(config, false)?;
        // Nothing is forwarded, so no server is probed.
        settings.upstreams.clear();
        Ok(settings)
    }

    fn read(config: Config, has_proxy: bool) -> Result<Self, ConfigErrors> {
        let tokens = portcullis_resource_server::Settings::try_from(config.resource_server);
        let faults = Faults::default();
        let policies = cedar::policies(&config.gateway, &faults);
        let tables = config.gateway;
        let gateway = match tables.gateway {
            Some(gateway) => gateway,
            None => no_gateway(has_proxy, &faults),
        };
        let within = faults.at("gateway");
        let mut doors = Doors::read(
            tables.forward_auth.as_ref(),
            tables.ext_authz.as_ref(),
            &faults,
        );
        let log = log::settings(tables.log, &faults.at("log"));
        let listeners = listeners(&gateway, has_proxy, &doors, log, &within);
        let mut upstreams = Upstreams::new(tables.upstream, gateway.timeouts.connect, &faults);
        // Without a proxy, nothing goes to an upstream, and there is none.
        let default = match has_proxy {
            true => upstreams.default(gateway.upstream.as_deref(), &within),
            false => 0,
        };
        let routes = route::routes(tables.route, &gateway, default, &mut upstreams, &faults);
        let hosts = hosts(&gateway.hosts, &within);
        let client_address = client_address::client_address(&gateway, &within);
        let streams = StreamSettings::read(&gateway.limits, &gateway.timeouts, &within);
        placeholders::warn(&gateway, &upstreams, &within);
        doors.dangers.extend(dangers(&gateway));
        let identity = faults.note(IdentitySettings::try_from(gateway.identity));
        let (resource_server, identity) = judge(&config.origin, tokens, identity, &faults)?;
        let identity = identity
            .with_token_header(resource_server.token_header().cloned())
            .with_token_cookie(resource_server.token_cookie().map(Box::from));
        Ok(Self {
            resource_server,
            token_settings: config.token_settings,
            listeners,
            hosts,
            client_address,
            public_preflight: gateway.public_preflight,
            identity,
            streams,
            forward_auth: doors.forward_auth.map(|(_, settings)| settings),
            ext_authz: doors.ext_authz.map(|(_, settings)| settings),
            failing_callers: gateway.limits.failing_callers.unwrap_or(300),
            routes,
            policies,
            upstreams: upstreams.into_list(),
            dangers: doors.dangers,
            warnings: faults.take_warnings(),
        })
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

/// The settings of `[gateway]` that loosen security.
fn dangers(gateway: &GatewayConfig) -> Vec<&'static str> {
    let mut dangers = Vec::new();
    if !gateway.identity.danger_pass.is_empty() {
        dangers.push("gateway.identity.danger_pass");
    }
    if gateway.danger_plain_http {
        dangers.push("gateway.danger_plain_http");
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

    /// The settings that loosen security, by name.
    pub fn dangers(&self) -> &[&'static str] {
        &self.dangers
    }

    /// What can be used, but is hardly meant.
    pub fn config_warnings(&self) -> impl Iterator<Item = &ConfigError> {
        let tokens = self.resource_server.warnings();
        tokens.iter().chain(&self.warnings)
    }

    /// Fixes the keys of one issuer: nothing is fetched for it. For tests, and for machines without
    /// a network. An issuer that is not configured changes nothing.
    #[must_use]
    pub fn with_fixed_keys_of(mut self, issuer: &str, keys: &Jwks) -> Self {
        self.resource_server = self.resource_server.with_fixed_keys_of(issuer, keys);
        self
    }
}

/// What stands in for a table that is not there.
fn no_gateway(has_proxy: bool, faults: &Faults) -> GatewayConfig {
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

/// `faults` are those of `[gateway]`.
fn listeners(
    gateway: &GatewayConfig,
    has_proxy: bool,
    doors: &Doors,
    log: LogSettings,
    faults: &Faults,
) -> ListenerSettings {
    let listen = gateway.listen.unwrap_or(DEFAULT_LISTEN);
    // Tokens would cross the network in clear.
    if gateway.tls.is_none() && !listen.ip().is_loopback() && !gateway.danger_plain_http {
        let help = "add `[gateway.tls]`, listen on 127.0.0.1, or write `danger_plain_http = true` \
            where somebody else has ended TLS";
        faults
            .expected("listen", "a loopback address, as there is no TLS")
            .found_as(listen.to_string())
            .given(&["tls", "danger_plain_http"])
            .help(help);
    }
    ListenerSettings {
        listen: has_proxy.then_some(listen),
        forward_auth: doors.forward_auth.as_ref().map(|(door, _)| door.clone()),
        ext_authz: doors.ext_authz.as_ref().map(|(door, _)| door.clone()),
        admin: gateway.admin.as_ref().map(|admin| admin.listen),
        tls: gateway
            .tls
            .as_ref()
            .map(|tls| tls_settings(tls, &faults.at("tls"))),
        limits: LimitSettings::read(&gateway.limits, &gateway.timeouts, faults),
        log,
    }
}

#[cfg(test)]
mod tests;
