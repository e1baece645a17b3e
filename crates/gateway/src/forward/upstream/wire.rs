//! The bytes of a connection to a server, watched for what a failure means: whether any of the
//! request went out, and whether any of the response came in.
//!
//! A server may answer before it has read the whole request, and close at once. Writing then fails
//! while the response is still there to read. So a failed write is not the end: from then on
//! nothing is sent, and reading finds the response, or the reason.

use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// TCP, with or without TLS.
pub(super) type ServerStream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A connection to a server.
pub(super) struct Wire {
    inner: TokioIo<ServerStream>,
    exchange: Arc<ExchangeState>,
    /// Whether writing has failed.
    mute: bool,
}

// Relaxed atomics suffice: the flags are read by the task that drives the connection, or after it
// has ended.
/// Which directions of the wire carried bytes for the current request.
#[derive(Debug, Default)]
pub(super) struct ExchangeState {
    sent: AtomicBool,
    received: AtomicBool,
}

impl Wire {
    pub(super) fn new(stream: ServerStream) -> (TokioIo<Self>, Arc<ExchangeState>) {
        let exchange = Arc::<ExchangeState>::default();
        let wire = Self {
            inner: TokioIo::new(stream),
            exchange: Arc::clone(&exchange),
            mute: false,
        };
        (TokioIo::new(wire), exchange)
    }

    /// Notes the result of writing `length` bytes.
    fn note_write(
        &mut self,
        length: usize,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(count)) => {
                self.exchange.sent.store(true, Ordering::Relaxed);
                Poll::Ready(Ok(count))
            }
            // Reported as written, so that hyper goes on to read the response.
            Poll::Ready(Err(error)) if is_closed(&error) => {
                self.mute = true;
                Poll::Ready(Ok(length))
            }
            other => other,
        }
    }
}

impl ExchangeState {
    /// Forgets the previous request.
    pub(super) fn reset(&self) {
        self.sent.store(false, Ordering::Relaxed);
        self.received.store(false, Ordering::Relaxed);
    }

    /// Whether any byte of the request went out.
    pub(super) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether any byte of the response came in.
    pub(super) fn has_received(&self) -> bool {
        self.received.load(Ordering::Relaxed)
    }
}

// An early close with unread data sends RST, and then writes fail with any of these.
/// Whether the other side is gone. There may still be something to read.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected
    )
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.exchange.received.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.mute {
            return Poll::Ready(Ok(bytes.len()));
        }
        let result = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.note_write(bytes.len(), result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        if self.mute {
            return Poll::Ready(Ok(length));
        }
        let result = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.note_write(length, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.mute {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut self.inner).poll_flush(context) {
            Poll::Ready(Err(error)) if is_closed(&error) => {
                self.mute = true;
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.mute {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
