//! What is listened on: TCP, Unix sockets, and what systemd hands over.

use crate::request::peer::Peer;
use crate::settings::Address;
use portcullis_core::{ConfigError, ConfigErrors};
use std::io;
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

/// The file of a Unix socket. It goes with the socket.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

/// A connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Opens what the settings name.
    pub(crate) async fn open(place: &str, address: &Address) -> Result<Self, ConfigErrors> {
        let opened = match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => unix(path),
        };
        opened.map_err(|error| {
            let problem = format!("{address} cannot be listened on: {error}");
            let help = "choose another address, or stop the program that listens there";
            ConfigError::wrong(place, problem).help(help).into()
        })
    }

    /// The socket that systemd hands over (`sd_listen_fds`), if it does.
    pub(crate) fn inherited() -> Result<Option<Self>, ConfigErrors> {
        let fault = |error: io::Error| {
            let help = "see the `.socket` unit: one stream socket with `ListenStream`";
            let fault = ConfigError::expected("LISTEN_FDS", "a TCP socket");
            ConfigErrors::from(fault.found_as(error.to_string()).help(help))
        };
        let Some(socket) = listenfd::ListenFd::from_env()
            .take_tcp_listener(0)
            .map_err(fault)?
        else {
            return Ok(None);
        };
        socket.set_nonblocking(true).map_err(fault)?;
        TcpListener::from_std(socket)
            .map(|socket| Some(Self::Tcp(socket)))
            .map_err(fault)
    }

    /// The address, if it is one of TCP.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(socket) => socket.local_addr().ok(),
            Self::Unix { .. } => None,
        }
    }

    /// The next connection, and whom it is with.
    pub(crate) async fn accept(&self, secure: bool) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                // Small answers should not wait for more; without it they are only slower.
                _ = stream.set_nodelay(true);
                let peer = Peer {
                    address: address.ip().to_canonical(),
                    unix: false,
                    secure,
                };
                Ok((Stream::Tcp(stream), peer))
            }
            Self::Unix { socket, .. } => {
                let (stream, _) = socket.accept().await?;
                let peer = Peer {
                    address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                    unix: true,
                    secure,
                };
                Ok((Stream::Unix(stream), peer))
            }
        }
    }
}

/// A socket of this name. What a process that died left behind is cleared away; what another one
/// listens on is not.
fn unix(path: &Path) -> io::Result<Socket> {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
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
        // Whoever is next clears it away.
        _ = std::fs::remove_file(&self.0);
    }
}

impl AsyncRead for Stream {
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

impl AsyncWrite for Stream {
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
