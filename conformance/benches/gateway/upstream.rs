//! The API behind the gateway: it answers with who the gateway says the caller is, in HTTP/1.1 and
//! HTTP/2, and dies in several ways.

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Sleep;

/// How long a POST takes, so that some are under way whenever the server stops.
const WORK: Duration = Duration::from_millis(10);

/// A server that stops as a killed one does when this is dropped: its connections end in the
/// middle.
pub(crate) struct Upstream {
    serving: JoinHandle<()>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    mode: AtomicU8,
    resets: AtomicBool,
}

/// What a server does with requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Answers = 0,
    /// It takes them, and answers when it is well again.
    Hangs = 1,
    /// It breaks off in the middle of its answers.
    BreaksOff = 2,
}

impl Upstream {
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let socket = listen(address).await;
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((stream, _)) = socket.accept().await else {
                    continue;
                };
                _ = stream.set_nodelay(true);
                while connections.try_join_next().is_some() {}
                let state = Arc::clone(&shared);
                let stream = Socket {
                    stream,
                    state: Arc::clone(&state),
                };
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                    let builder = Builder::new(TokioExecutor::new());
                    _ = builder
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { serving, state }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.state.mode.store(mode as u8, Ordering::SeqCst);
    }

    /// Its connections end with RST, as those of a process that is killed with bytes unread.
    pub(crate) fn reset(self) {
        self.state.resets.store(true, Ordering::SeqCst);
    }
}

/// Waits until the address is free: while a server is away, a client of somebody else may have its
/// port for a moment.
async fn listen(address: SocketAddr) -> TcpListener {
    for _ in 0..200 {
        if let Ok(socket) = TcpListener::bind(address).await {
            return socket;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{address} is taken");
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<Answer>, hyper::Error> {
    let caller = request
        .headers()
        .get("x-auth-subject")
        .map_or(&b"nobody"[..], |value| value.as_bytes());
    let mut told = caller.to_vec();
    if request.method() == Method::POST {
        tokio::time::sleep(WORK).await;
        told.extend_from_slice(&request.into_body().collect().await?.to_bytes());
    }
    while state.mode.load(Ordering::SeqCst) == Mode::Hangs as u8 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let broken = state.mode.load(Ordering::SeqCst) == Mode::BreaksOff as u8;
    let broken = broken.then(|| Box::pin(tokio::time::sleep(Duration::from_millis(5))));
    Ok(Response::new(Answer {
        told: Some(told.into()),
        broken,
    }))
}

/// The body of an answer, or half of it.
struct Answer {
    told: Option<Bytes>,
    /// When it breaks off, if it does.
    broken: Option<Pin<Box<Sleep>>>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let broken = self.broken.is_some();
        if let Some(told) = self.told.take() {
            let piece = if broken {
                told.slice(..told.len() / 2)
            } else {
                told
            };
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let Some(waiting) = &mut self.broken else {
            return Poll::Ready(None);
        };
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Some(Err(io::ErrorKind::Other.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.told.is_none() && self.broken.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.told
            .as_ref()
            .map_or_else(SizeHint::default, |told| {
                SizeHint::with_exact(told.len() as u64)
            })
    }
}

/// A connection that can end with RST.
struct Socket {
    stream: TcpStream,
    state: Arc<State>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.state.resets.load(Ordering::SeqCst) {
            _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
