//! Listening sockets: TCP, Unix sockets, and those that systemd hands over.

use crate::request::peer::Peer;
use crate::settings::Address;
use portcullis_core::{ConfigError, ConfigErrors};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A socket that takes connections.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpListener),
    Unix {
        socket: UnixListener,
        _file: SocketFile,
    },
}

/// The file of a Unix socket, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

/// A connection.
#[derive(Debug)]
pub(crate) enum ClientStream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Opens the socket that the settings name.
    pub(crate) async fn open(place: &str, address: &Address) -> Result<Self, ConfigErrors> {
        let result = match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => open_unix(path),
        };
        match result {
            Ok(socket) => Ok(socket),
            Err(error) => {
                let problem = format!("cannot listen on {address}: {error}");
                let help = cure(address, &error);
                Err(ConfigError::wrong(place, problem).help(help).into())
            }
        }
    }

    /// The socket that systemd hands over (`sd_listen_fds`), if it does.
    pub(crate) fn inherit() -> Result<Option<Self>, ConfigErrors> {
        match Self::take_from_systemd() {
            Ok(socket) => Ok(socket),
            Err(error) => {
                let problem = format!("expected a TCP socket from systemd: {error}");
                let help = "see the `.socket` unit: one stream socket with `ListenStream`";
                Err(ConfigError::wrong("LISTEN_FDS", problem)
                    .help(help)
                    .into())
            }
        }
    }

    fn take_from_systemd() -> io::Result<Option<Self>> {
        let Some(socket) = listenfd::ListenFd::from_env().take_tcp_listener(0)? else {
            return Ok(None);
        };
        // systemd hands over blocking sockets; one of them would block a whole worker thread.
        socket.set_nonblocking(true)?;
        Ok(Some(Self::Tcp(TcpListener::from_std(socket)?)))
    }

    // With port 0 the system chooses the port, so the settings do not say it.
    /// The address, if it is a TCP socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(socket) => socket.local_addr().ok(),
            Self::Unix { .. } => None,
        }
    }

    /// Accepts the next connection, and names its peer.
    pub(crate) async fn accept(&self, secure: bool) -> io::Result<(ClientStream, Peer)> {
        match self {
            Self::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                // Small responses must not wait for more (Nagle). A failure only makes them slower.
                _ = stream.set_nodelay(true);
                let peer = Peer {
                    address: address.ip().to_canonical(),
                    unix: false,
                    secure,
                    certificate: None,
                };
                Ok((ClientStream::Tcp(stream), peer))
            }
            Self::Unix { socket, .. } => {
                let (stream, _) = socket.accept().await?;
                let peer = Peer {
                    address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                    unix: true,
                    secure,
                    certificate: None,
                };
                Ok((ClientStream::Unix(stream), peer))
            }
        }
    }
}

/// What to do about an address that cannot be listened on.
fn cure(address: &Address, error: &io::Error) -> &'static str {
    match (address, error.kind()) {
        (Address::Tcp(_), ErrorKind::PermissionDenied) => {
            "ports below 1024 need a right: let systemd open the port (`portcullis.socket`), give \
             the process CAP_NET_BIND_SERVICE, or choose a port from 1024"
        }
        (Address::Unix(_), ErrorKind::PermissionDenied) => {
            "let the user of this process write in the folder of the socket"
        }
        (Address::Unix(_), ErrorKind::NotFound) => "create the folder of the socket",
        (_, ErrorKind::AddrNotAvailable) => {
            "write an address of this machine, or 0.0.0.0 for all of them"
        }
        _ => "choose another address, or stop the process that listens there",
    }
}

/// Opens a Unix socket. A socket file that a dead process left behind is removed; one that another
/// process listens on is not.
fn open_unix(path: &Path) -> io::Result<Socket> {
    let is_socket = match std::fs::symlink_metadata(path) {
        Ok(found) => found.file_type().is_socket(),
        Err(_) => false,
    };
    // Connecting tells the two apart: a file without a listener refuses.
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    Ok(Socket::Unix {
        socket: UnixListener::bind(path)?,
        _file: SocketFile(path.to_owned()),
    })
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // On failure the next start removes it.
        _ = std::fs::remove_file(&self.0);
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_own_cure() {
        let tcp = Address::Tcp(([127, 0, 0, 1], 80).into());
        let unix = Address::Unix("/run/x.sock".into());
        for (address, kind, piece) in [
            (&tcp, ErrorKind::PermissionDenied, "CAP_NET_BIND_SERVICE"),
            (&tcp, ErrorKind::AddrInUse, "stop the process"),
            (&tcp, ErrorKind::AddrNotAvailable, "of this machine"),
            (&unix, ErrorKind::PermissionDenied, "write in the folder"),
            (&unix, ErrorKind::NotFound, "create the folder"),
        ] {
            let cure = cure(address, &kind.into());
            assert!(cure.contains(piece), "{kind}: {cure}");
        }
    }
}
