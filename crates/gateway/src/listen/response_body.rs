//! The body of a response on its way to the client, and the time the client has to read it.
//!
//! Over HTTP/2, one stream may stall while others go on. hyper does not poll a body while the
//! client has no room, so a body cannot notice the stall. The task of the stream can: a piece was
//! handed out, and the next one is not polled. A silent upstream is never held against the client.

use crate::forward::body::{Body, BodyError};
use crate::transport::activity::OpenRequest;
use crate::transport::slots::RequestSlots;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use metrics::Counter;
use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The client has a timeout for each piece of this size, so reading byte by byte does not help.
pub(crate) const PIECE: usize = 16 * 1024;

/// Responses up to this size may stay buffered after their task has ended.
const LITTLE: usize = 1_024;

// hyper hides the body inside the stream that its executor gets, and polls it on the same thread.
thread_local! {
    /// How many pieces the polled body has handed out; `None` if it had none ready.
    static HANDED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs the streams of one HTTP/2 connection, each in a task of its own.
#[derive(Clone, Debug)]
pub(crate) struct StreamExecutor {
    pub(crate) patience: Duration,
    pub(crate) given_up: Counter,
}

impl<F> hyper::rt::Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let given_up = self.given_up.clone();
        let stream = PatientStream {
            stream,
            patience: self.patience,
            handed: None,
            waiting: None,
        };
        tokio::spawn(async move {
            if stream.await.is_err() {
                given_up.increment(1);
                tracing::debug!("stream reset: the client stopped reading the response");
            }
        });
    }
}

pin_project_lite::pin_project! {
    /// A stream whose client has a timeout for each piece. Dropping it resets the stream.
    struct PatientStream<F> {
        #[pin]
        stream: F,
        patience: Duration,
        // How many pieces had been handed out at the last poll.
        handed: Option<u64>,
        waiting: Option<Pin<Box<Sleep>>>,
    }
}

/// The client did not read in time.
struct ReaderTimeout;

impl<F: Future<Output = ()>> Future for PatientStream<F> {
    type Output = Result<(), ReaderTimeout>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), ReaderTimeout>> {
        let this = self.project();
        let before = *this.handed;
        // If hyper does not poll the body, the count stays as it was: the client has no room.
        HANDED.set(before);
        let ended = this.stream.poll(context);
        *this.handed = HANDED.take();
        if ended.is_ready() {
            return Poll::Ready(Ok(()));
        }
        if this.handed.is_none() {
            // The stream waits for the upstream, not for the client.
            *this.waiting = None;
            return Poll::Pending;
        }
        let patience = *this.patience;
        let waiting = this
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        // Another piece was taken: the time for the next one begins.
        if before != *this.handed {
            waiting.as_mut().reset(Instant::now() + patience);
        }
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(ReaderTimeout)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The body of a response, cut into pieces. It keeps the slots of its request.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    body: Body,
    /// The rest of a frame that was larger than a piece.
    left: Bytes,
    pieces: u64,
    /// Whether HTTP/2 is spoken: each piece then waits for flow control.
    in_pieces: bool,
    _request: OpenRequest,
    _slots: Option<Arc<RequestSlots>>,
}

impl ResponseBody {
    pub(crate) fn new(
        body: Body,
        in_pieces: bool,
        request: OpenRequest,
        slots: Option<Arc<RequestSlots>>,
    ) -> Self {
        Self {
            body,
            left: Bytes::new(),
            pieces: 0,
            in_pieces,
            _request: request,
            _slots: slots,
        }
    }

    /// The next piece. The last byte is a piece of its own: it leaves only when the client has room
    /// for all before it, so the task watches until then.
    fn cut_piece(&mut self, mut bytes: Bytes) -> Frame<Bytes> {
        let ends = bytes.len() > LITTLE && self.body.is_end_stream();
        let most = if ends {
            PIECE.min(bytes.len() - 1)
        } else {
            PIECE
        };
        if self.in_pieces && bytes.len() > most {
            let piece = bytes.split_to(most);
            self.left = bytes;
            bytes = piece;
        }
        Frame::data(bytes)
    }

    fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if !self.left.is_empty() {
            let left = std::mem::take(&mut self.left);
            return Poll::Ready(Some(Ok(self.cut_piece(left))));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            other => return other,
        };
        let frame = match frame.into_data() {
            Ok(bytes) => self.cut_piece(bytes),
            Err(trailers) => trailers,
        };
        Poll::Ready(Some(Ok(frame)))
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = self.poll_piece(context);
        if frame.is_ready() {
            self.pieces += 1;
            HANDED.set(Some(self.pieces));
        } else {
            HANDED.set(None);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let left = self.left.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(left));
        }
        hint.set_lower(hint.lower().saturating_add(left));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::activity::Activity;
    use http::Response;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use std::convert::Infallible;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    const PATIENCE: Duration = Duration::from_secs(60);

    async fn lasts(handed: Option<u64>) -> Duration {
        let stream = poll_fn(move |_| {
            HANDED.set(handed);
            Poll::<()>::Pending
        });
        let began = Instant::now();
        let patient = PatientStream {
            stream,
            patience: PATIENCE,
            handed: None,
            waiting: None,
        };
        _ = tokio::time::timeout(Duration::from_secs(3_600), patient).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_upstream_that_is_silent_is_not_held_against_the_reader() {
        assert_eq!(lasts(Some(1)).await, PATIENCE);
        assert_eq!(lasts(None).await, Duration::from_secs(3_600));
    }

    /// A server with a response of 100,000 bytes, and a client with an initial window of 0.
    async fn client() -> DuplexStream {
        let (client, server) = tokio::io::duplex(1_000_000);
        let service = service_fn(|_| async {
            let body = Body::from(vec![7; 100_000]);
            let request = Activity::new().begin();
            Ok::<_, Infallible>(Response::new(ResponseBody::new(body, true, request, None)))
        });
        let streams = StreamExecutor {
            patience: PATIENCE,
            given_up: Counter::noop(),
        };
        let builder = hyper::server::conn::http2::Builder::new(streams);
        tokio::spawn(builder.serve_connection(TokioIo::new(server), service));
        let mut client = client;
        client
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        // SETTINGS_INITIAL_WINDOW_SIZE = 0; then `GET http /` on stream 1.
        client
            .write_all(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0])
            .await
            .unwrap();
        client
            .write_all(&[0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84])
            .await
            .unwrap();
        client
    }

    /// Reads with a window that grows by `bytes` every `every` seconds: bytes received, whether the
    /// stream was reset, and the time in seconds.
    async fn read(bytes: u32, every: u64) -> (usize, bool, u64) {
        let (mut reader, mut writer) = tokio::io::split(client().await);
        let began = Instant::now();
        let writing = tokio::spawn(async move {
            loop {
                for stream in [0_u32, 1] {
                    let head = [
                        &[0, 0, 4, 8, 0][..],
                        &stream.to_be_bytes(),
                        &bytes.to_be_bytes(),
                    ]
                    .concat();
                    writer.write_all(&head).await.unwrap();
                }
                tokio::time::sleep(Duration::from_secs(every)).await;
            }
        });
        let mut came = 0;
        loop {
            let mut head = [0; 9];
            reader.read_exact(&mut head).await.unwrap();
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            reader.read_exact(&mut payload).await.unwrap();
            came += if head[3] == 0 { payload.len() } else { 0 };
            if head[3] == 3 || (head[3] == 0 && head[4] & 1 != 0) {
                writing.abort();
                return (came, head[3] == 3, began.elapsed().as_secs());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_a_little_is_given_up_and_one_that_reads_pieces_is_not() {
        let (came, reset, seconds) = read(1, 5).await;
        assert!(came < 100 && reset && seconds <= 120, "{came} {seconds}");
        let (came, reset, _) = read(PIECE as u32, 50).await;
        assert_eq!((came, reset), (100_000, false));
    }
}
