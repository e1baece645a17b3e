//! The gateway's settings as meant: parsed, complete and free of faults.

mod cedar;
mod client_address;
mod doors;
mod faults;
mod limits;
mod log;
mod require;
mod route;
mod summary;
mod upstream;

pub(crate) use doors::{
    Address, CHECK_METHOD, DoorSettings, ExtAuthzSettings, ForwardAuthSettings, FrontProxy,
};
pub(crate) use limits::{LimitSettings, StreamSettings};
pub(crate) use log::{Destination, LogSettings, SubjectSetting};
pub(crate) use upstream::{HealthSettings, HostSeen, Protocol, UpstreamSettings};

use crate::config::{Config, GatewayConfig, TlsConfig};
use crate::decision::cedar::Policies;
use crate::decision::routes::Routes;
use crate::identity::IdentitySettings;
use crate::request::caller::ClientAddress;
use crate::request::host::HostPattern;
use doors::Doors;
use faults::Faults;
use ipnet::IpNet;
use portcullis_core::jose::Jwks;
use portcullis_core::{ConfigError, ConfigErrors};
use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
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

/// HTTPS. That the files can be used is found out when they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    /// The table that it is written in.
    pub(crate) place: &'static str,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) only_1_3: bool,
    pub(crate) client_authorities: Option<PathBuf>,
    pub(crate) client_certificate_optional: bool,
    pub(crate) hsts: u64,
    pub(crate) redirect: Option<SocketAddr>,
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const YEAR: u64 = 31_536_000;
const HUNDRED_YEARS: u64 = 100 * YEAR;

/// What no settings can cause: a value is missing although no fault was found.
fn missing() -> ConfigErrors {
    let cure = "report this as a fault of Portcullis";
    ConfigError::new("gateway", "complete settings", cure).into()
}

impl TryFrom<Config> for Settings {
    type Error = ConfigErrors;

    fn try_from(config: Config) -> Result<Self, ConfigErrors> {
        let mut faults = Faults::default();
        let token_header = config.resource_server.token_header.clone();
        let token_header = token_header.and_then(|name| name.parse().ok());
        let token_cookie = config.resource_server.token_cookie.clone();
        let resource_server = faults.all(config.resource_server.try_into());
        let has_proxy = doors::has_proxy(&config.gateway);
        let policies = cedar::policies(&config.gateway, &mut faults);
        let tables = config.gateway;
        let gateway = tables.gateway;
        let gateway = gateway.unwrap_or_else(|| no_gateway(has_proxy, &mut faults));
        let mut doors = Doors::read(tables.forward_auth, tables.ext_authz, &mut faults);
        let log = log::settings(tables.log, &mut faults);
        let listeners = listeners(&gateway, has_proxy, &doors, log, &mut faults);
        let mut upstreams = Upstreams::new(tables.upstream, gateway.timeouts.connect, &mut faults);
        // Without a proxy, nothing goes to an upstream, and there is none.
        let default_upstream = match has_proxy {
            true => upstreams.default(gateway.upstream.as_deref(), &mut faults),
            false => 0,
        };
        let (default, list) = (default_upstream, &mut upstreams);
        let routes = route::routes(tables.route, &gateway, default, list, &mut faults);
        let hosts = hosts(&gateway, &mut faults);
        let client_address = client_address::client_address(&gateway, &mut faults);
        if !gateway.identity.danger_pass.is_empty() {
            doors.dangers.push("gateway.identity.danger_pass");
        }
        let identity = faults.all(IdentitySettings::try_from(gateway.identity));
        let token_cookie = token_cookie.map(String::into_boxed_str);
        let identity = identity.map(|it| {
            it.with_token_header(token_header)
                .with_token_cookie(token_cookie)
        });
        let streams = StreamSettings::read(&gateway.limits, &gateway.timeouts, &mut faults);
        if gateway.danger_plain_http {
            doors.dangers.push("gateway.danger_plain_http");
        }
        faults.check()?;
        Ok(Self {
            resource_server: resource_server.ok_or_else(missing)?,
            token_settings: config.token_settings,
            listeners,
            hosts,
            client_address,
            public_preflight: gateway.public_preflight,
            identity: identity.ok_or_else(missing)?,
            streams,
            forward_auth: doors.forward_auth.map(|(_, settings)| settings),
            ext_authz: doors.ext_authz.map(|(_, settings)| settings),
            failing_callers: gateway.limits.failing_callers.unwrap_or(300),
            routes,
            policies,
            upstreams: upstreams.into_list(),
            dangers: doors.dangers,
        })
    }
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

    /// Fixes the keys of one issuer: nothing is fetched for it. For tests, and for machines without
    /// a network. An issuer that is not configured changes nothing.
    #[must_use]
    pub fn with_fixed_keys_of(mut self, issuer: &str, keys: &Jwks) -> Self {
        self.resource_server = self.resource_server.with_fixed_keys_of(issuer, keys);
        self
    }
}

/// What stands in for a table that is not there.
fn no_gateway(has_proxy: bool, faults: &mut Faults) -> GatewayConfig {
    if !has_proxy {
        return GatewayConfig::default();
    }
    let cure =
        "write `[gateway]` with `upstream = \"http://127.0.0.1:8000\"`, or open another door";
    faults.add("gateway", "a table `[gateway]`", cure);
    GatewayConfig {
        upstream: Some("http://127.0.0.1:8000".to_owned()),
        ..GatewayConfig::default()
    }
}

fn listeners(
    gateway: &GatewayConfig,
    has_proxy: bool,
    doors: &Doors,
    log: LogSettings,
    faults: &mut Faults,
) -> ListenerSettings {
    let listen = gateway.listen.unwrap_or(DEFAULT_LISTEN);
    if gateway.tls.is_none() && !listen.ip().is_loopback() && !gateway.danger_plain_http {
        let cure = "add `[gateway.tls]`, listen on 127.0.0.1, or write `danger_plain_http = true` \
            where somebody else has ended TLS";
        faults.add(
            "gateway.listen",
            "a loopback address, as there is no TLS: tokens would cross the network in clear",
            cure,
        );
    }
    ListenerSettings {
        listen: has_proxy.then_some(listen),
        forward_auth: doors.forward_auth.as_ref().map(|(door, _)| door.clone()),
        ext_authz: doors.ext_authz.as_ref().map(|(door, _)| door.clone()),
        admin: gateway.admin.as_ref().map(|admin| admin.listen),
        tls: gateway.tls.as_ref().map(|tls| tls_settings(tls, faults)),
        limits: LimitSettings::read(&gateway.limits, &gateway.timeouts, faults),
        log,
    }
}

fn tls_settings(tls: &TlsConfig, faults: &mut Faults) -> TlsSettings {
    let only_1_3 = only_1_3("gateway.tls.minimum", tls.minimum.as_deref(), faults);
    if tls.client_certificate_optional && tls.client_authorities.is_none() {
        let cure = "name the file with the authorities, or leave it out";
        faults.add(
            "gateway.tls.client_certificate_optional",
            "`client_authorities` beside it",
            cure,
        );
    }
    TlsSettings {
        place: "gateway.tls",
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        only_1_3,
        client_authorities: tls.client_authorities.clone(),
        client_certificate_optional: tls.client_certificate_optional,
        hsts: tls.hsts.unwrap_or(YEAR),
        redirect: tls.redirect,
    }
}

/// Whether the lowest version of TLS is 1.3.
fn only_1_3(place: &str, minimum: Option<&str>, faults: &mut Faults) -> bool {
    match minimum {
        None | Some("1.2") => false,
        Some("1.3") => true,
        Some(_) => {
            faults.add(
                place,
                "a version of TLS that is safe",
                "write `1.2` or `1.3`",
            );
            true
        }
    }
}

fn hosts(gateway: &GatewayConfig, faults: &mut Faults) -> Vec<HostPattern> {
    let hosts = gateway
        .hosts
        .iter()
        .enumerate()
        .filter_map(|(index, text)| {
            let host = HostPattern::parse(text);
            if host.is_none() {
                let place = format!("gateway.hosts[{index}]");
                faults.add(
                    place,
                    "a host without a port",
                    "write `api.example.com` or `*.example.com`",
                );
            }
            host
        });
    hosts.collect()
}

/// An address, or a network.
fn network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A time in seconds, or its default. None is nought: that would refuse everything.
fn seconds(written: Option<u64>, default: u64, place: &str, faults: &mut Faults) -> Duration {
    if written.is_some_and(|seconds| !(1..=HUNDRED_YEARS).contains(&seconds)) {
        faults.add(
            place,
            "a number of seconds from 1",
            "leave it out for the default",
        );
    }
    Duration::from_secs(written.unwrap_or(default))
}

#[cfg(test)]
mod tests;
