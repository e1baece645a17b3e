//! The doors beside the reverse proxy, from as written to as meant.

use super::door::{DoorSettings, door_address, door_tls, is_beyond_loopback};
use super::receivers::{ReceiverDemand, ReceiverDoor};
use super::scalar::network;
use crate::config::{ExtAuthzConfig, ForwardAuthConfig, RouteConfig, Tables};
use crate::request::caller::canonical;
use crate::request::path::NormalPath;
use ipnet::IpNet;
use portcullis_core::Faults;

/// The one gRPC method of the door for Envoy.
pub(crate) const CHECK_METHOD: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Whose word is taken about the original request, and which headers tell it.
#[derive(Clone, Debug)]
pub(crate) struct ForwardAuthSettings {
    pub(crate) proxy: FrontProxy,
    pub(crate) trusted_networks: Vec<IpNet>,
    pub(crate) trusts_unix: bool,
}

/// The program that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrontProxy {
    Nginx,
    IngressNginx,
    Traefik,
    Caddy,
}

/// What requests of the HTTP flavour begin with; `None` where only gRPC is spoken.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExtAuthzSettings {
    pub(crate) path_prefix: Option<NormalPath>,
}

/// The doors that are open, and what is loosened about them.
#[derive(Debug, Default)]
pub(super) struct Doors {
    pub(super) forward_auth: Option<(DoorSettings, ForwardAuthSettings)>,
    pub(super) ext_authz: Option<(DoorSettings, ExtAuthzSettings)>,
    pub(super) receivers: ReceiverDoor,
    pub(super) dangers: Vec<&'static str>,
}

impl Doors {
    pub(super) fn read(tables: &Tables, demand: ReceiverDemand, faults: &Faults) -> Self {
        let mut doors = Self::default();
        if let Some(written) = &tables.forward_auth {
            if written.danger_plain_http {
                doors.dangers.push("forward_auth.danger_plain_http");
            }
            doors.forward_auth = read_forward_auth(written, &faults.at("forward_auth"));
        }
        if let Some(written) = &tables.ext_authz {
            if written.danger_open_listener {
                doors.dangers.push("ext_authz.danger_open_listener");
            }
            doors.ext_authz = read_ext_authz(written, &faults.at("ext_authz"));
        }
        if let Some(written) = &tables.receivers
            && written.danger_plain_http
        {
            doors.dangers.push("receivers.danger_plain_http");
        }
        doors.receivers = demand.read(tables.receivers.as_ref(), faults);
        doors
    }
}

/// Whether there is a reverse proxy: always, but where only another door is written.
pub(super) fn has_proxy(tables: &Tables) -> bool {
    // Without any door the proxy is meant, so that its missing upstream is reported.
    if tables.forward_auth.is_none() && tables.ext_authz.is_none() {
        return true;
    }
    if let Some(gateway) = &tables.gateway
        && (gateway.listen.is_some() || gateway.upstream.is_some())
    {
        return true;
    }
    let names_upstream = |route: &RouteConfig| route.upstream.is_some();
    !tables.upstream.is_empty() || tables.route.iter().any(names_upstream)
}

fn read_forward_auth(
    written: &ForwardAuthConfig,
    faults: &Faults,
) -> Option<(DoorSettings, ForwardAuthSettings)> {
    let listen = door_address(&written.listen, faults);
    let within = faults.at("tls");
    let tls = written.tls.as_ref();
    let tls = tls.map(|tls| door_tls("forward_auth.tls", tls, &within));
    // The proxy repeats the token of its caller in every question, so plain HTTP would expose it.
    if is_beyond_loopback(listen.as_ref()) && tls.is_none() && !written.danger_plain_http {
        let help = "add `[forward_auth.tls]`, listen on 127.0.0.1 or on a Unix socket, or write \
            `danger_plain_http = true`";
        faults
            .expected("listen", "a loopback address, as there is no TLS")
            .found(&written.listen)
            .given(&["tls", "danger_plain_http"])
            .help(help);
    }
    let proxy = FrontProxy::parse(&written.proxy);
    if proxy.is_none() {
        let help = "write the program in front; it decides which headers tell the original request";
        faults
            .expected("proxy", "`nginx`, `ingress-nginx`, `traefik` or `caddy`")
            .found(&written.proxy)
            .help(help);
    }
    let (mut trusted_networks, mut trusts_unix) = (Vec::new(), false);
    for (index, text) in written.trusted_peers.iter().enumerate() {
        match network(text) {
            // Peers are compared as IPv4 where they can be, so a mapped network would never match.
            Some(network) => trusted_networks.push(canonical(network)),
            None if text == "unix" => trusts_unix = true,
            None => faults
                .expected(
                    &format!("trusted_peers[{index}]"),
                    "an address, a network, or `unix`",
                )
                .found(text)
                .help("write `10.0.0.7` or `10.0.0.0/8`"),
        }
    }
    // The first `?` comes after the last check: an earlier one would hide the faults below it.
    let settings = ForwardAuthSettings {
        proxy: proxy?,
        trusted_networks,
        trusts_unix,
    };
    let listen = listen?;
    Some((DoorSettings { listen, tls }, settings))
}

fn read_ext_authz(
    written: &ExtAuthzConfig,
    faults: &Faults,
) -> Option<(DoorSettings, ExtAuthzSettings)> {
    let listen = door_address(&written.listen, faults);
    let within = faults.at("tls");
    let tls = written.tls.as_ref();
    let tls = tls.map(|tls| door_tls("ext_authz.tls", tls, &within));
    // Envoy asks in the name of callers, so only a certificate tells it from one of them.
    let knows_clients = tls
        .as_ref()
        .is_some_and(|tls| tls.client_authorities.is_some());
    if is_beyond_loopback(listen.as_ref()) && !knows_clients && !written.danger_open_listener {
        let help = "add `[ext_authz.tls]` with `client_authorities`, listen on 127.0.0.1 or on a \
            Unix socket, or write `danger_open_listener = true`";
        faults
            .expected(
                "listen",
                "a loopback address, as clients show no certificate",
            )
            .found(&written.listen)
            .given(&["tls", "danger_open_listener"])
            .help(help);
    }
    let path_prefix = match &written.path_prefix {
        Some(text) => path_prefix(text, faults),
        None => None,
    };
    let listen = listen?;
    Some((
        DoorSettings { listen, tls },
        ExtAuthzSettings { path_prefix },
    ))
}

fn path_prefix(text: &str, faults: &Faults) -> Option<NormalPath> {
    let prefix = match NormalPath::parse(text) {
        // It is compared as text with the target from Envoy, so only one spelling can match.
        Ok(path) if path.as_str() == text && !text.ends_with('/') => path,
        _ => {
            let expected = "a path of at least one segment, without a final slash";
            faults
                .expected("path_prefix", expected)
                .found(text)
                .help("write the `path_prefix` of Envoy's `http_service`, such as `/check`");
            return None;
        }
    };
    // The path alone tells the two flavours apart, and a caller chooses the path behind the prefix.
    if is_prefix_of_method(text) {
        let help = "write another prefix, here and in Envoy's `http_service`, such as `/check`";
        faults
            .expected(
                "path_prefix",
                "a prefix that does not lead to the method of gRPC",
            )
            .found(text)
            .help(help);
    }
    Some(prefix)
}

impl Doors {
    /// Whether a program asks whose headers are taken.
    pub(super) fn take_headers_of_front(&self) -> bool {
        let asking = self.forward_auth.as_ref();
        let is_asked = asking.is_some_and(|(_, settings)| !settings.trusts_nobody());
        is_asked || self.ext_authz.is_some()
    }
}

impl ForwardAuthSettings {
    /// Whether nobody's word is taken.
    pub(crate) fn trusts_nobody(&self) -> bool {
        self.trusted_networks.is_empty() && !self.trusts_unix
    }
}

impl FrontProxy {
    fn parse(name: &str) -> Option<Self> {
        [Self::Nginx, Self::IngressNginx, Self::Traefik, Self::Caddy]
            .into_iter()
            .find(|it| it.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::IngressNginx => "ingress-nginx",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
        }
    }
}

/// Whether a path behind this prefix could be taken for the method.
fn is_prefix_of_method(prefix: &str) -> bool {
    CHECK_METHOD
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_must_not_lead_to_the_method() {
        for prefix in ["/envoy.service.auth.v3.Authorization", CHECK_METHOD] {
            assert!(is_prefix_of_method(prefix), "{prefix}");
        }
        for prefix in [
            "/check",
            "/envoy.service.auth.v3",
            "/envoy",
            "/envoy.service.auth.v3.Authorization/Check/x",
        ] {
            assert!(!is_prefix_of_method(prefix), "{prefix}");
        }
    }
}
