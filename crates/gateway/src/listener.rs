//! Connections: accepted, counted, given TLS, and served by hyper until they end or are drained.
//!
//! A client has a bounded time for its handshake and for the head of each request, and bounded heads. Neither side
//! can keep a connection that asks for nothing.

use crate::body::Body;
use crate::gateway::Shared;
use crate::mode::proxy::{self, Peer};
use crate::settings::ListenerSettings;
use crate::socket::{Socket, Stream};
use crate::stall::Stalling;
use crate::telemetry::meters::Open;
use crate::tls::ServerTls;
use http::header::STRICT_TRANSPORT_SECURITY;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// How long to wait when no connection can be accepted, such as when there are no more file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Who answers the requests of a listener.
pub(crate) trait Door: Clone + Send + Sync + 'static {
    /// Whether its connections count among the open ones.
    const COUNTED: bool = true;

    /// Answers a request.
    fn answer(&self, peer: Peer, request: Request<Incoming>) -> impl Future<Output = Response<Body>> + Send;
}

/// What all connections of a listener share.
pub(crate) struct Listener<D> {
    pub(crate) socket: Socket,
    pub(crate) door: D,
    pub(crate) tls: Option<Arc<ServerTls>>,
    /// Where open connections are counted, if they are.
    pub(crate) open: Option<Arc<AtomicUsize>>,
    pub(crate) settings: ListenerSettings,
}

/// The reverse proxy as a door.
#[derive(Clone, Debug)]
pub(crate) struct Proxy(pub(crate) Arc<Shared>);

impl Door for Proxy {
    async fn answer(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        proxy::answer(&self.0.running(), peer, request).await
    }
}

impl<D: Door> Listener<D> {
    /// Accepts until told to stop, then waits for requests under way, but not for ever.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self { socket, door, tls, open, settings } = self;
        let places = Arc::new(Semaphore::new(settings.connections));
        let drain = GracefulShutdown::new();
        let builder = Arc::new(builder(&settings));
        loop {
            let accepted = tokio::select! {
                accepted = accept(&socket, tls.is_some(), &places) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Some((stream, peer, place)) = accepted else { continue };
            let connection = Connection {
                door: door.clone(),
                tls: tls.clone(),
                builder: Arc::clone(&builder),
                head_timeout: settings.head_timeout,
                peer,
            };
            let place = (place, open.as_ref().map(Open::new));
            tokio::spawn(connection.serve(stream, drain.watcher(), place));
        }
        drop(socket);
        if tokio::time::timeout(settings.drain_timeout, drain.shutdown()).await.is_err() {
            tracing::warn!("requests were still under way when the time to drain was over");
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    socket: &Socket,
    secure: bool,
    places: &Arc<Semaphore>,
) -> Option<(Stream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match socket.accept(secure).await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            tracing::warn!(%error, "no connection could be accepted");
            tokio::time::sleep(BREATH).await;
            None
        }
    }
}

struct Connection<D> {
    door: D,
    tls: Option<Arc<ServerTls>>,
    builder: Arc<Builder<TokioExecutor>>,
    head_timeout: Duration,
    peer: Peer,
}

impl<D: Door> Connection<D> {
    async fn serve(self, stream: Stream, watcher: Watcher, _place: (OwnedSemaphorePermit, Option<Open>)) {
        match &self.tls {
            None => self.http(stream, watcher, None).await,
            Some(tls) => {
                let hsts = hsts(tls.settings().hsts);
                let acceptor = TlsAcceptor::from(tls.current());
                match tokio::time::timeout(self.head_timeout, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => self.http(stream, watcher, hsts).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }
        }
    }

    async fn http<S>(&self, stream: S, watcher: Watcher, hsts: Option<HeaderValue>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = Arc::new(AtomicBool::new(false));
        let peer = self.peer;
        let (door, first) = (self.door.clone(), Arc::clone(&begun));
        let service = service_fn(move |request| {
            first.store(true, Ordering::Relaxed);
            let (door, hsts) = (door.clone(), hsts.clone());
            async move {
                let mut response = door.answer(peer, request).await;
                if let Some(hsts) = hsts {
                    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let connection =
            self.builder.serve_connection_with_upgrades(TokioIo::new(Stalling::new(stream)), service);
        let mut connection = std::pin::pin!(watcher.watch(connection));
        let ended = tokio::select! {
            ended = &mut connection => Some(ended),
            () = tokio::time::sleep(self.head_timeout) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            // It has said nothing yet that could be answered.
            None if !begun.load(Ordering::Relaxed) => return,
            None => connection.await,
        };
        if let Err(error) = ended {
            tracing::debug!(error, "a connection broke off");
        }
    }
}

fn builder(settings: &ListenerSettings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let most_bytes = usize::try_from(settings.header_bytes).unwrap_or(usize::MAX);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head_timeout)
        .max_buf_size(most_bytes)
        .max_headers(settings.headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(settings.header_bytes)
        .max_concurrent_streams(settings.streams)
        .keep_alive_interval(Duration::from_secs(30))
        .adaptive_window(true);
    builder
}

fn hsts(max_age: u64) -> Option<HeaderValue> {
    (max_age > 0).then(|| HeaderValue::from_str(&format!("max-age={max_age}")).ok()).flatten()
}
