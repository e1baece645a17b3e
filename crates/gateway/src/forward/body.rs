//! Bodies on their way through: never held, always bounded.
//!
//! A request's body has a largest size and a pace to keep, and loses trailers that only the gateway
//! may set. An answer's body passes as it comes; a stream that was opened by a token ends when the
//! token does.

use crate::forward::upstream::{AnswerBody, UnderWay};
use crate::identity::IdentitySettings;
use crate::transport::client_body::{BodyFault, ClientBody};
use crate::transport::life::{Cause, End, Traffic};
use crate::transport::pace::Pace;
use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// The body of a request on its way to an upstream.
pub(crate) struct RequestBody {
    inner: Option<ClientBody>,
    left: Option<u64>,
    /// None where there is no body.
    pace: Option<Pace>,
    identity: Option<Arc<IdentitySettings>>,
    progress: Option<Arc<Progress>>,
}

/// How a body goes on.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    made: AtomicBool,
    over: AtomicBool,
    fault: OnceLock<BodyFault>,
}

impl Progress {
    /// Whether there was any since the last time this was asked.
    pub(crate) fn was_made(&self) -> bool {
        self.made.swap(false, Ordering::Relaxed)
    }

    /// Why it ended early, if it did: HTTP/2 tells its upstream, but not the one who sends.
    pub(crate) fn fault(&self) -> Option<BodyFault> {
        self.fault.get().copied()
    }

    /// Whether nothing more comes: the body has ended, or nobody takes it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(progress) = &self.progress {
            progress.over.store(true, Ordering::Relaxed);
        }
    }
}

impl RequestBody {
    pub(crate) fn new(
        inner: ClientBody,
        most_bytes: Option<u64>,
        pace: Pace,
        identity: Arc<IdentitySettings>,
    ) -> Self {
        let progress = Some(Arc::default());
        Self {
            inner: Some(inner),
            left: most_bytes,
            pace: Some(pace),
            identity: Some(identity),
            progress,
        }
    }

    /// No body.
    pub(crate) fn empty() -> Self {
        Self {
            inner: None,
            left: None,
            pace: None,
            identity: None,
            progress: None,
        }
    }

    /// To see from outside whether it goes on.
    pub(crate) fn progress(&self) -> Option<Arc<Progress>> {
        self.progress.clone()
    }

    /// A frame, if it is within bounds. The pause begins anew.
    fn passed(&mut self, frame: Frame<Bytes>) -> Option<Result<Frame<Bytes>, BodyFault>> {
        if let Some(pace) = &mut self.pace {
            pace.received(frame.data_ref().map_or(0, |data| data.remaining() as u64));
        }
        if let Some(progress) = &self.progress {
            progress.made.store(true, Ordering::Relaxed);
        }
        if let (Some(left), Some(bytes)) = (&mut self.left, frame.data_ref()) {
            match left.checked_sub(bytes.remaining() as u64) {
                Some(fewer) => *left = fewer,
                None => return Some(Err(BodyFault::TooLarge)),
            }
        }
        match frame.into_trailers() {
            Ok(trailers) => {
                let kept = self.kept(trailers);
                (!kept.is_empty()).then(|| Ok(Frame::trailers(kept)))
            }
            Err(data) => Some(Ok(data)),
        }
    }

    fn kept(&self, trailers: HeaderMap) -> HeaderMap {
        let reserved = |name: &HeaderName| {
            self.identity
                .as_ref()
                .is_none_or(|identity| identity.is_reserved(name.as_str()))
                || FORBIDDEN_TRAILERS.contains(&name.as_str())
        };
        let names: Vec<HeaderName> = trailers
            .keys()
            .filter(|name| reserved(name))
            .cloned()
            .collect();
        let mut trailers = trailers;
        for name in names {
            trailers.remove(name);
        }
        trailers
    }
}

/// What frames, routes or authenticates a message has no place behind it (RFC 9110, section 6.5.1).
const FORBIDDEN_TRAILERS: [&str; 14] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "dpop",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = match Pin::new(inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(self.passed(frame)),
            Poll::Ready(Some(Err(fault))) => Poll::Ready(Some(Err(fault))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match &mut self.pace {
                Some(pace) => pace
                    .poll_late(context)
                    .map(|()| Some(Err(BodyFault::TooSlow))),
                None => Poll::Pending,
            },
        };
        if let (Poll::Ready(Some(Err(fault))), Some(progress)) = (&frame, &self.progress) {
            _ = progress.fault.set(*fault);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner
            .as_ref()
            .is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

/// The body of an answer: the gateway's own text, or what an upstream sends.
#[derive(Debug)]
pub(crate) enum Body {
    Text(Full<Bytes>),
    /// A message with trailers behind it, as gRPC has them.
    Framed {
        message: Option<Bytes>,
        trailers: Option<HeaderMap>,
    },
    Stream(Streamed),
}

/// What an upstream sends.
pub(crate) struct Streamed {
    inner: AnswerBody,
    end: Option<(End, Ending)>,
    ended: bool,
    traffic: Traffic,
    /// The server is busy with this as long as it goes on.
    _under_way: UnderWay,
}

/// How a stream ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As if the upstream had ended it: a client of server-sent events connects anew.
    Quiet,
    /// With the trailer `grpc-status`: 16, `UNAUTHENTICATED`, or 14, `UNAVAILABLE`.
    Grpc,
}

impl Streamed {
    /// A body, and how it ends before its time. What goes by is told to `traffic`.
    pub(crate) fn new(
        inner: AnswerBody,
        under_way: UnderWay,
        end: Option<(End, Ending)>,
        traffic: Traffic,
    ) -> Self {
        Self {
            inner,
            end,
            ended: false,
            traffic,
            _under_way: under_way,
        }
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.traffic.end();
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Text(text) => Pin::new(text)
                .poll_frame(context)
                .map_err(|never| match never {}),
            Self::Framed { message, trailers } => {
                let data = message.take().map(Frame::data);
                Poll::Ready(
                    data.or_else(|| trailers.take().map(Frame::trailers))
                        .map(Ok),
                )
            }
            Self::Stream(Streamed { ended: true, .. }) => Poll::Ready(None),
            Self::Stream(stream) => {
                if let Some((end, ending)) = &mut stream.end
                    && let Poll::Ready(cause) = end.as_mut().poll(context)
                {
                    stream.ended = true;
                    return Poll::Ready(ending.frame(cause).map(Ok));
                }
                let frame = Pin::new(&mut stream.inner).poll_frame(context);
                if frame.is_ready() {
                    stream.traffic.seen();
                }
                frame
            }
        }
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
            Self::Stream(stream) if stream.end.is_some() => SizeHint::default(),
            Self::Stream(stream) => stream.inner.size_hint(),
        }
    }
}

/// Shows no content.
impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what an upstream sends")
    }
}

/// Shows no content.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of a request")
    }
}

impl Ending {
    fn frame(self, cause: Cause) -> Option<Frame<Bytes>> {
        if self == Self::Quiet {
            return None;
        }
        let status = if cause.may_come_back() { "14" } else { "16" };
        let mut trailers = HeaderMap::new();
        trailers.insert(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from_static(status),
        );
        trailers.insert(
            HeaderName::from_static("grpc-message"),
            HeaderValue::from_static(cause.phrase()),
        );
        Some(Frame::trailers(trailers))
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(text: T) -> Self {
        Self::Text(Full::new(text.into()))
    }
}
