//! The doors beside the reverse proxy, from as written to as meant.

use super::TlsSettings;
use super::faults::Faults;
use crate::config::{DoorTlsConfig, ExtAuthzConfig, ForwardAuthConfig, Tables};
use crate::request::path::NormalPath;
use ipnet::IpNet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The one gRPC method of the door for Envoy.
pub(crate) const CHECK_METHOD: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Where a door listens, and how. Fixed at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DoorSettings {
    pub(crate) listen: Address,
    pub(crate) tls: Option<TlsSettings>,
}

/// What can be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

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
    pub(super) dangers: Vec<&'static str>,
}

impl Doors {
    pub(super) fn read(
        forward_auth: Option<ForwardAuthConfig>,
        ext_authz: Option<ExtAuthzConfig>,
        faults: &mut Faults,
    ) -> Self {
        let mut doors = Self::default();
        if forward_auth
            .as_ref()
            .is_some_and(|written| written.danger_plain_http)
        {
            doors.dangers.push("forward_auth.danger_plain_http");
        }
        if ext_authz
            .as_ref()
            .is_some_and(|written| written.danger_open_listener)
        {
            doors.dangers.push("ext_authz.danger_open_listener");
        }
        doors.forward_auth = forward_auth.and_then(|written| read_forward_auth(&written, faults));
        doors.ext_authz = ext_authz.and_then(|written| read_ext_authz(&written, faults));
        doors
    }
}

/// Whether there is a reverse proxy: always, but where only another door is written.
pub(super) fn has_proxy(tables: &Tables) -> bool {
    let other = tables.forward_auth.is_some() || tables.ext_authz.is_some();
    let gateway = tables.gateway.as_ref();
    !other
        || gateway.is_some_and(|gateway| gateway.listen.is_some() || gateway.upstream.is_some())
        || !tables.upstream.is_empty()
        || tables.route.iter().any(|route| route.upstream.is_some())
}

fn read_forward_auth(
    written: &ForwardAuthConfig,
    faults: &mut Faults,
) -> Option<(DoorSettings, ForwardAuthSettings)> {
    let listen = address("forward_auth.listen", &written.listen, faults);
    let tls = written
        .tls
        .as_ref()
        .map(|tls| tls_settings("forward_auth.tls", tls, faults));
    if let Some(Address::Tcp(address)) = &listen
        && !(address.ip().is_loopback() || tls.is_some() || written.danger_plain_http)
    {
        let cure = "add `[forward_auth.tls]`, listen on 127.0.0.1 or on a Unix socket, or write \
            `danger_plain_http = true`";
        faults.add(
            "forward_auth.listen",
            "a loopback address, as there is no TLS",
            cure,
        );
    }
    let proxy = FrontProxy::parse(&written.proxy);
    if proxy.is_none() {
        let cure = "write the program in front; it decides which headers tell the original request";
        faults.add(
            "forward_auth.proxy",
            "`nginx`, `ingress-nginx`, `traefik` or `caddy`",
            cure,
        );
    }
    let mut networks = Vec::new();
    for (index, text) in written
        .trusted_peers
        .iter()
        .enumerate()
        .filter(|(_, text)| *text != "unix")
    {
        match super::network(text) {
            Some(network) => networks.push(crate::request::caller::canonical(network)),
            None => faults.add(
                format!("forward_auth.trusted_peers[{index}]"),
                "an address, a network, or `unix`",
                "write `10.0.0.7` or `10.0.0.0/8`",
            ),
        }
    }
    let settings = ForwardAuthSettings {
        proxy: proxy?,
        trusted_networks: networks,
        trusts_unix: written.trusted_peers.iter().any(|text| text == "unix"),
    };
    Some((
        DoorSettings {
            listen: listen?,
            tls,
        },
        settings,
    ))
}

fn read_ext_authz(
    written: &ExtAuthzConfig,
    faults: &mut Faults,
) -> Option<(DoorSettings, ExtAuthzSettings)> {
    let listen = address("ext_authz.listen", &written.listen, faults);
    let tls = written
        .tls
        .as_ref()
        .map(|tls| tls_settings("ext_authz.tls", tls, faults));
    let authenticated = tls
        .as_ref()
        .is_some_and(|tls| tls.client_authorities.is_some());
    if let Some(Address::Tcp(address)) = &listen
        && !(address.ip().is_loopback() || authenticated || written.danger_open_listener)
    {
        let cure = "add `[ext_authz.tls]` with `client_authorities`, listen on 127.0.0.1 or on a \
            Unix socket, or write `danger_open_listener = true`";
        faults.add(
            "ext_authz.listen",
            "a loopback address, as clients show no certificate",
            cure,
        );
    }
    let path_prefix = written.path_prefix.as_deref().and_then(|text| {
        let prefix = NormalPath::parse(text)
            .ok()
            .filter(|path| path.as_str() == text && !text.ends_with('/'));
        if prefix.is_none() {
            let cure = "write the `path_prefix` of Envoy's `http_service`, such as `/check`";
            faults.add(
                "ext_authz.path_prefix",
                "a path of at least one segment, without a final slash",
                cure,
            );
        } else if is_prefix_of_method(text) {
            let cure = "write another prefix, here and in Envoy's `http_service`, such as `/check`";
            faults.add(
                "ext_authz.path_prefix",
                "a prefix that does not lead to the method of gRPC",
                cure,
            );
        }
        prefix
    });
    Some((
        DoorSettings {
            listen: listen?,
            tls,
        },
        ExtAuthzSettings { path_prefix },
    ))
}

fn address(place: &str, text: &str, faults: &mut Faults) -> Option<Address> {
    let address = match text.strip_prefix("unix:") {
        Some(path) => Path::new(path)
            .is_absolute()
            .then(|| Address::Unix(path.into())),
        None => text.parse().ok().map(Address::Tcp),
    };
    if address.is_none() {
        let cure = "write `127.0.0.1:8081`, or `unix:/run/portcullis/door.sock`";
        faults.add(
            place,
            "an address with a port, or `unix:` and an absolute path",
            cure,
        );
    }
    address
}

fn tls_settings(place: &'static str, tls: &DoorTlsConfig, faults: &mut Faults) -> TlsSettings {
    TlsSettings {
        place,
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        only_1_3: super::only_1_3(&format!("{place}.minimum"), tls.minimum.as_deref(), faults),
        client_authorities: tls.client_authorities.clone(),
        client_certificate_optional: false,
        hsts: 0,
        redirect: None,
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
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
