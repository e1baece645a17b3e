//! One connection: TLS, its version of HTTP, and its lifetime.
//!
//! The handshake and the head of each request have a timeout. A connection without requests is
//! closed, and every connection stops taking requests at its maximum age: by GOAWAY (HTTP/2) or
//! `Connection: close` (HTTP/1.1). Requests under way are finished.

use crate::door::interface::AnyDoor;
use crate::listen::context::ListenerContext;
use crate::listen::http_stream::HttpStream;
use crate::listen::requests::ConnectionRequests;
use crate::listen::response_body::StreamExecutor;
use crate::listen::socket::ClientStream;
use crate::listen::stall::{ConnectionSlots, WriteTimeout};
use crate::request::peer::Peer;
use crate::settings::LimitSettings;
use crate::transport::activity::{Activity, jitter};
use crate::transport::tls::ServerTls;
use http::HeaderValue;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use portcullis_core::proof::Thumbprint;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// After GOAWAY, an idle client has this long to close the connection itself.
const GRACE: Duration = Duration::from_secs(5);

/// The client connection preface of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An accepted connection.
pub(crate) struct ClientConnection {
    pub(crate) door: Arc<dyn AnyDoor>,
    pub(crate) tls: Option<Arc<ServerTls>>,
    pub(crate) context: ListenerContext,
    pub(crate) peer: Peer,
    /// Changes when the listener drains.
    pub(crate) drain: watch::Receiver<()>,
}

impl ClientConnection {
    pub(crate) async fn serve(self, stream: ClientStream, held: ConnectionSlots) {
        let Some(tls) = self.tls.clone() else {
            return self.serve_http(stream.into(), None, held).await;
        };
        let hsts = hsts(tls.settings().hsts);
        let handshake = TlsAcceptor::from(tls.current()).accept(stream);
        match tokio::time::timeout(self.context.limits.head_timeout, handshake).await {
            Ok(Ok(stream)) => {
                let certificate = certificate_of(&stream);
                let peer = Peer {
                    certificate,
                    ..self.peer
                };
                Self { peer, ..self }
                    .serve_http(stream.into(), hsts, held)
                    .await;
            }
            // Scanners and port checks cause these all day long, so they are no warnings.
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake timed out"),
        }
    }

    async fn serve_http(
        self,
        stream: HttpStream,
        hsts: Option<HeaderValue>,
        held: ConnectionSlots,
    ) {
        let Self {
            door,
            context,
            peer,
            drain,
            ..
        } = self;
        let limits = Arc::clone(&context.limits);
        let activity = Activity::new();
        let received = activity.byte_counter();
        let mut stream = WriteTimeout::new(stream, limits.reader_timeout, received, Some(held));
        let mut draining = drain.clone();
        let first_bytes = tokio::time::timeout(limits.head_timeout, speaks_http2(&mut stream));
        let is_http2 = tokio::select! {
            is_http2 = first_bytes => is_http2,
            // Nothing was asked yet, so nothing has to be finished.
            _ = draining.changed() => return,
        };
        let Ok(Ok(is_http2)) = is_http2 else {
            return tracing::debug!("connection closed or silent before its first request");
        };
        let streams = StreamExecutor {
            patience: limits.reader_timeout,
            given_up: context.given_up(),
        };
        let lifetime = Lifetime::new(&limits, Arc::clone(&activity));
        let abuses = context.abuses();
        let requests = Arc::new(ConnectionRequests {
            door,
            peer,
            hsts,
            activity,
            context,
            is_http2,
        });
        let requests = service_fn(move |request| requests.answer(request));
        let stream = TokioIo::new(stream);
        let end = if is_http2 {
            let builder = http2_builder(&limits, streams);
            let connection = builder.serve_connection(stream, requests);
            lifetime.follow(connection, drain).await
        } else {
            let connection = http1_builder(&limits).serve_connection(stream, requests);
            lifetime
                .follow(connection.with_upgrades(), drain)
                .await
        };
        match end {
            Ok(()) => {}
            Err(Some(error)) => tracing::debug!(%error, "connection closed with an error"),
            Err(None) => abuses.increment(1),
        }
    }
}

/// The certificate that the client showed, also in the handshake that this one resumes.
fn certificate_of(stream: &TlsStream<ClientStream>) -> Option<Thumbprint> {
    let (_, session) = stream.get_ref();
    // The client's own certificate comes first (RFC 8446, section 4.4.2).
    let certificate = session.peer_certificates()?.first()?;
    Some(Thumbprint::of_certificate(certificate))
}

/// Whether the client speaks HTTP/2, by its first bytes. They can be read again.
async fn speaks_http2(stream: &mut WriteTimeout<HttpStream>) -> io::Result<bool> {
    // Not by ALPN: without TLS there is none, and clients may speak HTTP/2 with prior knowledge
    // (RFC 9113, section 3.3).
    let mut first = Vec::with_capacity(PREFACE.len());
    let is_http2 = loop {
        let mut bytes = [0; PREFACE.len()];
        let room = bytes.get_mut(first.len()..).unwrap_or_default();
        let read = stream.read(room).await?;
        first.extend_from_slice(room.get(..read).unwrap_or_default());
        if read == 0 || !PREFACE.starts_with(&first) {
            break false;
        }
        if first.len() == PREFACE.len() {
            break true;
        }
    };
    if first.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    stream.put_back(first);
    Ok(is_http2)
}

fn http1_builder(limits: &LimitSettings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(usize::try_from(limits.header_bytes).unwrap_or(usize::MAX))
        .max_headers(limits.headers);
    builder
}

fn http2_builder(
    limits: &LimitSettings,
    streams: StreamExecutor,
) -> http2::Builder<StreamExecutor> {
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header_bytes)
        // With a dynamic table, one byte on the wire can stand for a field of 4 kB.
        .header_table_size(0)
        .max_concurrent_streams(limits.streams)
        // Bounds on rapid resets (CVE-2023-44487), and on resets that the client provokes.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(256)
        .max_send_buf_size(128 * 1024)
        // Finds clients that vanished without a FIN, such as phones that lost their network.
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
        .adaptive_window(true);
    builder
}

fn hsts(max_age: u64) -> Option<HeaderValue> {
    if max_age == 0 {
        return None;
    }
    HeaderValue::from_str(&format!("max-age={max_age}")).ok()
}

/// Decides when a connection has to end.
struct Lifetime {
    head: Duration,
    idle: Duration,
    life: Duration,
    activity: Arc<Activity>,
    /// Whether the client was told to send no more requests.
    ending: bool,
}

impl Lifetime {
    fn new(limits: &LimitSettings, activity: Arc<Activity>) -> Self {
        Self {
            head: limits.head_timeout,
            idle: limits.idle_timeout,
            life: jitter(limits.connection_life),
            activity,
            ending: false,
        }
    }

    /// Serves the connection until it ends; `Err(None)` if the client cancels too many requests.
    async fn follow(
        mut self,
        connection: impl HttpConnection,
        mut drain: watch::Receiver<()>,
    ) -> Result<(), Option<hyper::Error>> {
        let mut connection = pin!(connection);
        let activity = Arc::clone(&self.activity);
        let mut abuse = pin!(activity.abuse.notified());
        loop {
            // Checked at intervals: a timer for each request would cost every request.
            let check = tokio::time::sleep(self.next_check());
            tokio::select! {
                ended = &mut connection => return ended.map_err(Some),
                () = &mut abuse => return Err(None),
                _ = drain.changed(), if !self.ending => self.end(connection.as_mut()),
                () = check => {
                    if self.is_over() {
                        return Ok(());
                    }
                    if !self.ending && self.has_to_end() {
                        self.end(connection.as_mut());
                    }
                }
            }
        }
    }

    fn end(&mut self, connection: Pin<&mut impl HttpConnection>) {
        self.ending = true;
        connection.end();
    }

    /// The time until the next check.
    fn next_check(&self) -> Duration {
        let age = self.activity.age();
        let idle = self.activity.idle().unwrap_or_default();
        let next = if !self.activity.has_begun() {
            self.head.saturating_sub(age)
        } else if self.ending {
            GRACE.saturating_sub(idle)
        } else {
            let idle_left = self.idle.saturating_sub(idle);
            idle_left.min(self.life.saturating_sub(age))
        };
        next.max(Duration::from_millis(10))
    }

    /// Whether to close now: no request ever came, or the client ignores that it should leave.
    fn is_over(&self) -> bool {
        if !self.activity.has_begun() {
            return self.activity.age() >= self.head;
        }
        self.ending && self.is_idle_for(GRACE)
    }

    fn has_to_end(&self) -> bool {
        self.activity.age() >= self.life || self.is_idle_for(self.idle)
    }

    fn is_idle_for(&self, time: Duration) -> bool {
        match self.activity.idle() {
            Some(idle) => idle >= time,
            None => false,
        }
    }
}

/// A connection of HTTP/1.1 or HTTP/2.
trait HttpConnection: Future<Output = hyper::Result<()>> {
    /// Takes no more requests.
    fn end(self: Pin<&mut Self>);
}

impl<I, S, B> HttpConnection for http1::UpgradeableConnection<I, S>
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn end(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B, E> HttpConnection for http2::Connection<I, S, E>
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn end(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
