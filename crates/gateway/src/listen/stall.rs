//! A socket with a timeout for writes: a client that stops reading, or reads too slowly, is cut
//! off.

use crate::listen::response_body::PIECE;
use crate::transport::places::CallerPlace;
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
pub(crate) struct Stalling<S> {
    inner: S,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Bytes written since the wait began.
    taken: usize,
    received: Arc<AtomicU64>,
    /// Bytes to be read again, before all others.
    first: Bytes,
    _held: Option<ConnectionPlaces>,
}

/// The places of a connection. The socket keeps them, so tunnels count too.
#[derive(Debug)]
pub(crate) struct ConnectionPlaces {
    pub(crate) _connection: OwnedSemaphorePermit,
    pub(crate) _caller: Option<CallerPlace>,
    pub(crate) _open: Option<crate::telemetry::meters::Open>,
}

impl<S> Stalling<S> {
    /// Wraps a socket; `patience` is for each piece, and `received` counts the bytes read.
    pub(crate) fn new(
        inner: S,
        patience: Duration,
        received: Arc<AtomicU64>,
        held: Option<ConnectionPlaces>,
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
    fn patient(
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
                    self.begin_to_wait();
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if self.waiting.is_none() {
                    self.begin_to_wait();
                }
            }
        }
        if written.is_ready() {
            return written;
        }
        let over = || {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the other side stopped reading",
            ))
        };
        let waiting = self
            .waiting
            .as_mut()
            .map(|waiting| waiting.as_mut().poll(context));
        waiting.unwrap_or(Poll::Pending).map(|()| over())
    }

    fn begin_to_wait(&mut self) {
        self.taken = 0;
        let end = Instant::now() + self.patience;
        match &mut self.waiting {
            Some(waiting) => waiting.as_mut().reset(end),
            None => self.waiting = Some(Box::pin(tokio::time::sleep_until(end))),
        }
    }

    /// As [`patient`](Self::patient), for a flush.
    fn patient_flush(
        &mut self,
        flushed: Poll<io::Result<()>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.patient(flushed.map_ok(|()| 0), 0, context)
            .map_ok(|_| ())
    }

    /// Puts bytes back, to be read before all others.
    pub(crate) fn put_back(&mut self, bytes: Vec<u8>) {
        self.received
            .fetch_sub(bytes.len() as u64, Ordering::Relaxed);
        self.first = bytes.into();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
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
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.patient(written, bytes.len(), context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        let offered = pieces.iter().map(|piece| piece.len()).sum();
        self.patient(written, offered, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.patient_flush(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(context);
        self.patient_flush(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const PATIENCE: Duration = Duration::from_secs(60);

    fn stalling<S>(inner: S) -> Stalling<S> {
        Stalling::new(inner, PATIENCE, Arc::default(), None)
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_reading_is_cut_off() {
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
    async fn who_reads_byte_by_byte_is_cut_off_and_who_reads_pieces_is_not() {
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
