//! What is listened on, from as written to as meant.

use super::door::{Address, DoorSettings};
use super::doors::Doors;
use super::limits::LimitSettings;
use super::log::LogSettings;
use super::tls::{TlsSettings, tls_settings};
use crate::config::GatewayConfig;
use portcullis_core::Faults;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What is fixed at the start: a reload does not change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListenerSettings {
    /// Where the reverse proxy listens; `None` where there is none.
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) forward_auth: Option<DoorSettings>,
    pub(crate) ext_authz: Option<DoorSettings>,
    /// The listener of receivers, where they have one of their own.
    pub(crate) receivers: Option<DoorSettings>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) limits: LimitSettings,
    pub(crate) log: LogSettings,
}

impl ListenerSettings {
    /// Whether the reverse proxy's TLS asks clients for a certificate.
    pub(super) fn asks_clients(&self) -> bool {
        let tls = self.tls.as_ref().filter(|_| self.listen.is_some());
        tls.is_some_and(|tls| tls.bound_clients || tls.client_authorities.is_some())
    }
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// `all` are the faults of the whole document.
pub(super) fn listeners(
    gateway: &GatewayConfig,
    has_proxy: bool,
    doors: &Doors,
    log: LogSettings,
    all: &Faults,
) -> ListenerSettings {
    let faults = &all.at("gateway");
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
    let listeners = ListenerSettings {
        listen: has_proxy.then_some(listen),
        forward_auth: doors
            .forward_auth
            .as_ref()
            .map(|(door, _)| door.clone()),
        ext_authz: doors.ext_authz.as_ref().map(|(door, _)| door.clone()),
        receivers: doors.receivers.listener.clone(),
        admin: gateway.admin.as_ref().map(|admin| admin.listen),
        tls: gateway
            .tls
            .as_ref()
            .map(|tls| tls_settings(tls, &faults.at("tls"))),
        limits: LimitSettings::read(&gateway.limits, &gateway.timeouts, faults),
        log,
    };
    check_distinct(&listeners, all);
    listeners
}

/// Every listener needs an address that no other one takes: the second would fail at the start.
fn check_distinct(listeners: &ListenerSettings, faults: &Faults) {
    let redirect = listeners.tls.as_ref().and_then(|tls| tls.redirect);
    let tcp = |address: Option<SocketAddr>| address.map(Address::Tcp);
    let door = |door: &Option<DoorSettings>| door.as_ref().map(|it| it.listen.clone());
    let mut taken: Vec<(&str, Address)> = Vec::new();
    for (place, address) in [
        ("gateway.listen", tcp(listeners.listen)),
        ("gateway.tls.redirect", tcp(redirect)),
        ("forward_auth.listen", door(&listeners.forward_auth)),
        ("ext_authz.listen", door(&listeners.ext_authz)),
        ("receivers.listen", door(&listeners.receivers)),
        ("gateway.admin.listen", tcp(listeners.admin)),
    ] {
        let Some(address) = address else { continue };
        if let Some((other, its)) = taken.iter().find(|(_, it)| it.overlaps(&address)) {
            faults
                .expected(place, "an address of its own")
                .found_as(format!("{address}, while `{other}` is {its}"))
                .given_elsewhere(&[other])
                .help("choose another port, or another path of a Unix socket");
        }
        taken.push((place, address));
    }
}
