//! Accepts connections, with or without TLS, and cuts them off on command.

use crate::endpoint::http::peer::ConnectionPeer;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use std::io;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a TLS handshake may take, and how many may be under way.
const PATIENCE: Duration = Duration::from_secs(10);

const MOST_HANDSHAKES: usize = 256;

/// Accepts connections.
pub(crate) struct Connections {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    handshakes: JoinSet<Option<TlsStream<TcpStream>>>,
}

/// A connection that can be cut off.
pub(crate) struct ServerConnection {
    stream: Transport,
    cut: Arc<AtomicBool>,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connections {
    pub(crate) fn new(tcp: TcpListener, tls: Option<Arc<ServerConfig>>) -> Self {
        Self {
            tcp,
            tls: tls.map(TlsAcceptor::from),
            handshakes: JoinSet::new(),
        }
    }

    async fn accept_tcp(tcp: &TcpListener) -> TcpStream {
        loop {
            match tcp.accept().await {
                Ok((stream, _)) => return stream,
                // The client gave up before it was accepted, which says nothing about the next one.
                Err(error) if is_the_other_ends(&error) => {}
                // Perhaps the process is out of descriptors: a pause lets others be closed.
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// Handshakes run side by side, so that a slow one does not block the others.
    async fn accept_tls(&mut self, tls: &TlsAcceptor) -> TlsStream<TcpStream> {
        loop {
            // Without a bound, silent connections would fill the memory.
            let room = self.handshakes.len() < MOST_HANDSHAKES;
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(stream)) = done {
                        return stream;
                    }
                }
                stream = Self::accept_tcp(&self.tcp), if room => {
                    // Off the accept loop: a client that sends nothing blocks nobody.
                    let handshake = tls.accept(stream);
                    self.handshakes.spawn(
                        async { tokio::time::timeout(PATIENCE, handshake).await.ok()?.ok() }
                    );
                }
            }
        }
    }
}

impl Listener for Connections {
    type Io = ServerConnection;
    type Addr = ConnectionPeer;

    async fn accept(&mut self) -> (ServerConnection, ConnectionPeer) {
        let (stream, peer) = match self.tls.clone() {
            None => (
                Transport::Plain(Self::accept_tcp(&self.tcp).await),
                ConnectionPeer::new(&[]),
            ),
            Some(tls) => {
                let stream = self.accept_tls(&tls).await;
                // The handshake has proved that the peer holds the key of the first certificate.
                let peer = ConnectionPeer::new(
                    stream
                        .get_ref()
                        .1
                        .peer_certificates()
                        .unwrap_or_default(),
                );
                (Transport::Tls(Box::new(stream)), peer)
            }
        };
        (
            ServerConnection {
                stream,
                cut: Arc::clone(&peer.cut),
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<ConnectionPeer> {
        Ok(ConnectionPeer::new(&[]))
    }
}

impl Connected<IncomingStream<'_, Connections>> for ConnectionPeer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.remote_addr().clone()
    }
}

fn is_the_other_ends(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionAborted,
        ErrorKind::ConnectionReset,
    ];
    kinds.contains(&error.kind())
}

/// What both kinds of stream can do.
trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Io for S {}

impl ServerConnection {
    fn inner(self: Pin<&mut Self>) -> Pin<&mut (dyn Io + '_)> {
        match &mut self.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream),
            Transport::Tls(stream) => Pin::new(&mut **stream),
        }
    }
}

impl AsyncRead for ServerConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, buffer)
    }
}

impl AsyncWrite for ServerConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The response is written as usual, and the connection drops it.
        if self.cut.load(Ordering::SeqCst) {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        self.inner().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(context)
    }
}
