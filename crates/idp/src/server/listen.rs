//! Connections: accepted, with or without TLS, and cut off on command.

use crate::endpoint::http::peer::Peer;
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
pub(crate) struct Connection {
    stream: Stream,
    cut: Arc<AtomicBool>,
}

enum Stream {
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
                Err(error) if is_the_other_ends(&error) => {}
                // No more descriptors, perhaps: others may be closed meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// One that is slow to shake hands keeps nobody else waiting.
    async fn accept_tls(&mut self, tls: &TlsAcceptor) -> TlsStream<TcpStream> {
        loop {
            let room = self.handshakes.len() < MOST_HANDSHAKES;
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(stream)) = done {
                        return stream;
                    }
                }
                stream = Self::accept_tcp(&self.tcp), if room => {
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
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        let (stream, peer) = match self.tls.clone() {
            None => (
                Stream::Plain(Self::accept_tcp(&self.tcp).await),
                Peer::new(&[]),
            ),
            Some(tls) => {
                let stream = self.accept_tls(&tls).await;
                let peer = Peer::new(stream.get_ref().1.peer_certificates().unwrap_or_default());
                (Stream::Tls(Box::new(stream)), peer)
            }
        };
        (
            Connection {
                stream,
                cut: Arc::clone(&peer.cut),
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer::new(&[]))
    }
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
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

impl Connection {
    fn inner(self: Pin<&mut Self>) -> Pin<&mut (dyn Io + '_)> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream),
            Stream::Tls(stream) => Pin::new(&mut **stream),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
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
