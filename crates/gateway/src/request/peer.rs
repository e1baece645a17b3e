//! The other end of a connection.

use std::net::IpAddr;

/// The neighbour of a connection: a client, or a proxy in front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Whether it came over a Unix socket; then the address stands for this machine.
    pub(crate) unix: bool,
    pub(crate) secure: bool,
}
