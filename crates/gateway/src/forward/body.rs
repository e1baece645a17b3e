//! The body of a response: the gateway's own text, or what an upstream sends.
//!
//! It passes as it comes, and is never held. A stream that was opened by a token ends when the
//! token does. Any other body breaks off if its token is revoked.

use crate::forward::upstream::{InFlightGuard, UpstreamBody};
use crate::telemetry::response_watch::ResponseWatch;
use crate::transport::body_watch::BodyWatch;
use crate::transport::life::{Cause, End, Traffic};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of a response: the gateway's own text, or what an upstream sends.
#[derive(Debug)]
pub(crate) enum Body {
    Text(Full<Bytes>),
    /// A message with trailers behind it, as gRPC has them.
    Framed {
        message: Option<Bytes>,
        trailers: Option<HeaderMap>,
    },
    Stream(StreamBody),
}

/// A body from an upstream, and its early end.
pub(crate) struct StreamBody {
    inner: UpstreamBody,
    end: Option<(End, Ending)>,
    /// For a body that is no stream.
    watch: Option<BodyWatch>,
    ended: bool,
    traffic: Traffic,
    /// Where responses have audit records.
    record: Option<Box<ResponseWatch>>,
    /// The server is busy with the request until this is dropped.
    _in_flight: InFlightGuard,
}

/// How a stream is ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    // There is no way to name a reason in the middle of an ordinary body.
    /// As if the upstream had ended it: a client of server-sent events reconnects.
    Quiet,
    /// With the trailer `grpc-status`: 16, `UNAUTHENTICATED`, or 14, `UNAVAILABLE`.
    Grpc,
}

impl StreamBody {
    /// A body that breaks off if its token is revoked. Each frame is noted in `traffic`.
    pub(crate) fn new(
        inner: UpstreamBody,
        in_flight: InFlightGuard,
        watch: Option<BodyWatch>,
        traffic: Traffic,
    ) -> Self {
        Self {
            inner,
            end: None,
            watch,
            ended: false,
            traffic,
            record: None,
            _in_flight: in_flight,
        }
    }

    /// The same with an audit record, which is written when the body is dropped.
    pub(crate) fn with_record(mut self, record: Option<ResponseWatch>) -> Self {
        self.record = record.map(Box::new);
        // Such a body is not asked for anything.
        if http_body::Body::is_end_stream(&self.inner)
            && let Some(record) = &mut self.record
        {
            record.complete();
        }
        self
    }

    /// A stream, and when and how it is ended early.
    pub(crate) fn ending(
        inner: UpstreamBody,
        in_flight: InFlightGuard,
        end: (End, Ending),
        traffic: Traffic,
    ) -> Self {
        traffic.begin_stream();
        let mut stream = Self::new(inner, in_flight, None, traffic);
        stream.end = Some(end);
        stream
    }

    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        // Before the upstream's frame: a busy stream must end with its token as well.
        if let Some((end, ending)) = &mut self.end
            && let Poll::Ready(cause) = end.as_mut().poll(context)
        {
            self.ended = true;
            return Poll::Ready(ending.frame(cause).map(Ok));
        }
        let frame = http_body::Body::poll_frame(Pin::new(&mut self.inner), context);
        if frame.is_ready() {
            self.traffic.note();
        }
        if self.is_revoked(&frame, context) {
            self.ended = true;
            return Poll::Ready(Some(Err(BodyError::Revoked)));
        }
        // Behind the revocation: a piece that is held back was not passed on.
        self.note(&frame);
        frame.map_err(BodyError::Upstream)
    }

    fn note<E>(&mut self, frame: &Poll<Option<Result<Frame<Bytes>, E>>>) {
        let Some(record) = &mut self.record else {
            return;
        };
        let bytes = match frame {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
            Poll::Ready(Some(Err(_))) | Poll::Pending => return,
            Poll::Ready(None) => 0,
        };
        record.note(bytes);
        // Who knows that this is the end does not ask for more.
        if matches!(frame, Poll::Ready(None)) || http_body::Body::is_end_stream(&self.inner) {
            record.complete();
        }
    }

    fn is_revoked<T>(&mut self, next: &Poll<Option<T>>, context: &mut Context<'_>) -> bool {
        let Some(watch) = &mut self.watch else {
            return false;
        };
        let end = match next {
            Poll::Pending => watch.poll_waiting(context),
            Poll::Ready(Some(_)) => watch.poll_after_piece(context),
            Poll::Ready(None) => return false,
        };
        end.is_ready()
    }
}

/// Why a body breaks off. Its connection, or its stream of HTTP/2, breaks with it, so no client
/// takes it for the whole.
#[derive(Debug)]
pub(crate) enum BodyError {
    Upstream(hyper::Error),
    /// Its token was revoked.
    Revoked,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream(error) => error.fmt(f),
            Self::Revoked => f.write_str("the token of the response was revoked"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Upstream(error) => Some(error),
            Self::Revoked => None,
        }
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        // The other direction may otherwise wait for more of a request that nobody reads.
        self.traffic.end();
    }
}

impl Ending {
    /// How a message with these headers ends before its time; `None` if it is no stream.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.as_bytes();
        if begins_with(kind, b"application/grpc") {
            Some(Self::Grpc)
        } else if begins_with(kind, b"text/event-stream") {
            Some(Self::Quiet)
        } else {
            None
        }
    }

    /// The last frame, if there is one.
    fn frame(self, cause: Cause) -> Option<Frame<Bytes>> {
        if self == Self::Quiet {
            return None;
        }
        let status = if cause.may_come_back() { "14" } else { "16" };
        let status = HeaderValue::from_static(status);
        let message = HeaderValue::from_static(cause.phrase());
        let mut trailers = HeaderMap::new();
        trailers.insert(HeaderName::from_static("grpc-status"), status);
        trailers.insert(HeaderName::from_static("grpc-message"), message);
        Some(Frame::trailers(trailers))
    }
}

fn begins_with(kind: &[u8], name: &[u8]) -> bool {
    let beginning = kind.get(..name.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(name))
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let (message, trailers) = match &mut *self {
            Self::Text(text) => {
                let frame = Pin::new(text).poll_frame(context);
                return frame.map_err(|never| match never {});
            }
            Self::Stream(stream) => return stream.poll_frame(context),
            Self::Framed { message, trailers } => (message.take(), trailers),
        };
        let frame = match message {
            Some(data) => Some(Frame::data(data)),
            None => trailers.take().map(Frame::trailers),
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_end_stream(),
            Self::Framed { message, trailers } => message.is_none() && trailers.is_none(),
            Self::Stream(stream) => stream.ended || stream.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(text) => text.size_hint(),
            Self::Framed { .. } => SizeHint::default(),
            // A stream that may be ended early must not promise a length.
            Self::Stream(stream) if stream.end.is_some() => SizeHint::default(),
            Self::Stream(stream) => stream.inner.size_hint(),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(text: T) -> Self {
        Self::Text(Full::new(text.into()))
    }
}

/// Shows no content.
impl fmt::Debug for StreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what an upstream sends")
    }
}
