//! A socket with a timeout for writes: a client that stops reading, or reads too slowly, is cut
//! off.

use crate::listen::response_body::PIECE;
use crate::telemetry::meters::ConnectionGuard;
use crate::transport::slots::CallerSlot;
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

/// A socket with a timeout for writes. Reads are bounded elsewhere, by what is read.
#[derive(Debug)]
pub(crate) struct WriteTimeout<S> {
    inner: S,
    patience: Duration,
    // Boxed and reused: most connections never wait, and a timer is large.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Bytes written since the wait began.
    taken: usize,
    received: Arc<AtomicU64>,
    /// Bytes to be read again, before all others.
    first: Bytes,
    _held: Option<ConnectionSlots>,
}

/// The slots of a connection. The socket keeps them, so tunnels count too.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    pub(crate) _connection: OwnedSemaphorePermit,
    pub(crate) _caller: Option<CallerSlot>,
    pub(crate) _open: Option<ConnectionGuard>,
}

impl<S> WriteTimeout<S> {
    /// Wraps a socket; `patience` is for each piece, and `received` counts the bytes read.
    pub(crate) fn new(
        inner: S,
        patience: Duration,
        received: Arc<AtomicU64>,
        held: Option<ConnectionSlots>,
    ) -> Self {
        Self {
            inner,
            patience,
            waiting: None,
            taken: 0,
            received,
            first: Bytes::new(),
            _held: held,
        }
    }

    /// The result of a write of `offered` bytes, or a timeout. Nothing waits once all of them are
    /// written.
    fn limit_write(
        &mut self,
        written: Poll<io::Result<usize>>,
        offered: usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(taken)) if taken >= offered => self.waiting = None,
            Poll::Ready(Ok(taken)) => {
                // A few bytes are no progress: the wait goes on until a piece is written.
                self.taken += taken;
                if self.taken >= PIECE {
                    self.begin_wait();
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if self.poll_timeout(context).is_ready() {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the client stopped reading",
                    )));
                }
            }
        }
        written
    }

    /// As [`limit_write`](Self::limit_write), for a flush.
    fn limit_flush(
        &mut self,
        flushed: Poll<io::Result<()>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match flushed {
            Poll::Ready(Ok(())) => self.waiting = None,
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                return self
                    .limit_write(Poll::Pending, 0, context)
                    .map_ok(|_| ());
            }
        }
        flushed
    }

    /// Ready when the wait is over. Begins one if there is none.
    fn poll_timeout(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.waiting.is_none() {
            self.begin_wait();
        }
        match &mut self.waiting {
            Some(waiting) => waiting.as_mut().poll(context),
            None => Poll::Pending,
        }
    }

    fn begin_wait(&mut self) {
        self.taken = 0;
        let end = Instant::now() + self.patience;
        match &mut self.waiting {
            Some(waiting) => waiting.as_mut().reset(end),
            None => self.waiting = Some(Box::pin(tokio::time::sleep_until(end))),
        }
    }

    /// Puts bytes back, to be read before all others.
    pub(crate) fn put_back(&mut self, bytes: Vec<u8>) {
        // They are counted again when they are read again.
        self.received
            .fetch_sub(bytes.len() as u64, Ordering::Relaxed);
        self.first = bytes.into();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The first bytes were read to tell HTTP/1.1 from HTTP/2; hyper gets them from here.
        if !self.first.is_empty() {
            let most = self.first.len().min(buffer.remaining());
            let bytes = self.first.split_to(most);
            buffer.put_slice(&bytes);
            self.received
                .fetch_add(bytes.len() as u64, Ordering::Relaxed);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        let bytes = buffer.filled().len().saturating_sub(before);
        self.received
            .fetch_add(bytes as u64, Ordering::Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.limit_write(written, bytes.len(), context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        let offered = pieces.iter().map(|piece| piece.len()).sum();
        self.limit_write(written, offered, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.limit_flush(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(context);
        self.limit_flush(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const PATIENCE: Duration = Duration::from_secs(60);

    fn stalling<S>(inner: S) -> WriteTimeout<S> {
        WriteTimeout::new(inner, PATIENCE, Arc::default(), None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_reading_is_cut_off() {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut ours = stalling(ours);
        ours.write_all(b"1234").await.unwrap();
        let taken = async {
            tokio::time::sleep(PATIENCE - Duration::from_secs(1)).await;
            theirs.read_exact(&mut [0; 4]).await.unwrap();
        };
        // All bytes were written in time, so the next piece has a timeout of its own.
        let (written, _) = tokio::join!(ours.write_all(b"5678"), taken);
        written.unwrap();
        let error = ours.write_all(b"9").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_byte_by_byte_is_cut_off_and_one_that_reads_pieces_is_not() {
        for (each, good) in [(1, false), (PIECE / 4, true)] {
            let (ours, mut theirs) = tokio::io::duplex(PIECE);
            let mut ours = stalling(ours);
            let reading = tokio::spawn(async move {
                let mut buffer = vec![0; each];
                while theirs.read_exact(&mut buffer).await.is_ok() {
                    tokio::time::sleep(PATIENCE / 5).await;
                }
            });
            let written = ours.write_all(&[7; 4 * PIECE]).await;
            assert_eq!(written.is_ok(), good, "{each}");
            reading.abort();
        }
    }
}
