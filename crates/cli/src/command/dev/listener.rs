//! The sockets of `portcullis dev`.

use crate::exit::CommandError;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

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
