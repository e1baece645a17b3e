//! The sockets of `portcullis dev`.

use crate::exit::CommandError;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// The default ports of the example API and of the gateway.
pub(super) const API_PORT: u16 = 8000;
pub(super) const GATEWAY_PORT: u16 = 8080;

/// The default ports that other programs have: another port is used in their place.
pub(super) fn find_taken(used: &[(u16, Option<SocketAddr>)]) -> Vec<u16> {
    let mut taken = Vec::new();
    for (default, address) in used {
        if address.is_some_and(|it| it.port() != *default) {
            taken.push(*default);
        }
    }
    taken
}

/// A socket at the default port, or at a free one.
pub(super) async fn listener(port: u16) -> Result<TcpListener, CommandError> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        // A second `portcullis dev` should run beside the first one.
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
        }
        socket => Ok(socket?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_if_another_one_is_used() {
        let at = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let used = [(8000, at(41_234)), (8080, at(8080)), (9000, None)];
        assert_eq!(find_taken(&used), [8000]);
    }
}
