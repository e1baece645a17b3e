//! The other end of a connection.

use portcullis_core::HttpScheme;
use portcullis_core::proof::Thumbprint;
use std::net::{IpAddr, Ipv4Addr};

/// The neighbour of a connection: a client, or a proxy in front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Whether it came over a Unix socket; then the address stands for this machine.
    pub(crate) unix: bool,
    pub(crate) secure: bool,
    /// The certificate that it showed for this connection, whoever signed it.
    pub(crate) certificate: Option<Thumbprint>,
}

impl Peer {
    /// The other end of a connection that an application's server holds: its address; none for a
    /// Unix socket.
    pub(crate) fn of_application(address: Option<IpAddr>) -> Self {
        Self {
            address: address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            unix: address.is_none(),
            secure: false,
            certificate: None,
        }
    }

    /// The scheme of the connection.
    pub(crate) fn scheme(self) -> HttpScheme {
        match self.secure {
            true => HttpScheme::Https,
            false => HttpScheme::Http,
        }
    }
}
