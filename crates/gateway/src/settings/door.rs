//! What all doors beside the reverse proxy have in common: where they listen, and their TLS.

use super::tls::{TlsSettings, only_1_3};
use crate::config::DoorTlsConfig;
use portcullis_core::Faults;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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

impl Address {
    /// Whether the system refuses to listen on both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (Self::Tcp(one), Self::Tcp(two)) = (self, other) else {
            return self == other;
        };
        // With port 0 the system chooses a free one.
        if one.port() != two.port() || one.port() == 0 {
            return false;
        }
        let (one, two) = (one.ip(), two.ip());
        let has_any = one.is_unspecified() || two.is_unspecified();
        one == two || (has_any && one.is_ipv4() == two.is_ipv4())
    }
}

pub(super) fn is_beyond_loopback(address: Option<&Address>) -> bool {
    matches!(address, Some(Address::Tcp(address)) if !address.ip().is_loopback())
}

pub(super) fn door_address(text: &str, faults: &Faults) -> Option<Address> {
    let address = match text.strip_prefix("unix:") {
        Some(path) if Path::new(path).is_absolute() => Some(Address::Unix(path.into())),
        Some(_) => None,
        None => text.parse().ok().map(Address::Tcp),
    };
    if address.is_none() {
        faults
            .expected(
                "listen",
                "an address with a port, or `unix:` and an absolute path",
            )
            .found(text)
            .help("write `127.0.0.1:8081`, or `unix:/run/portcullis/door.sock`");
    }
    address
}

pub(super) fn door_tls(place: &'static str, tls: &DoorTlsConfig, faults: &Faults) -> TlsSettings {
    TlsSettings {
        place,
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        only_1_3: only_1_3(tls.minimum.as_deref(), faults),
        client_authorities: tls.client_authorities.clone(),
        // An optional certificate would let a caller ask as if it were the proxy.
        client_certificate_optional: false,
        bound_clients: false,
        // Only browsers obey HSTS (RFC 6797), and only a proxy connects to a door.
        hsts: 0,
        redirect: None,
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
