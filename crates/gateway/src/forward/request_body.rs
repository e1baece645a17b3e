//! The body of a request on its way to an upstream: never held, always bounded.
//!
//! It has a largest size and a pace to keep, and loses trailers that only the gateway may set. It
//! ends early if its token is revoked.

use crate::identity::IdentitySettings;
use crate::transport::body_watch::BodyWatch;
use crate::transport::client_body::{BodyFault, ClientBody};
use crate::transport::life::Traffic;
use crate::transport::pace::Pace;
use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName};
use http_body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

/// Fields that frame, route or authenticate a message have no place in trailers (RFC 9110, section
/// 6.5.1).
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

/// The body of a request on its way to an upstream.
pub(crate) struct RequestBody {
    inner: Option<ClientBody>,
    left: Option<u64>,
    /// None where there is no body.
    pace: Option<Pace>,
    identity: Option<Arc<IdentitySettings>>,
    // Shared, as hyper owns the body and a connection's task may outlive the request's.
    progress: Option<Arc<Progress>>,
    /// None where it came without a token.
    watch: Option<(BodyWatch, Traffic)>,
}

/// How far a body has come, for the task that waits for the response.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    made: AtomicBool,
    over: AtomicBool,
    fault: OnceLock<BodyFault>,
}

impl Progress {
    /// Whether a piece came since the last call.
    pub(crate) fn was_made(&self) -> bool {
        self.made.swap(false, Ordering::Relaxed)
    }

    /// Why the body ended early, if it did. hyper's HTTP/2 resets the stream for it, and keeps the
    /// cause from the sender.
    pub(crate) fn fault(&self) -> Option<BodyFault> {
        self.fault.get().copied()
    }

    /// Whether nothing more comes: the body has ended, or nobody reads it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

impl RequestBody {
    pub(crate) fn new(
        inner: ClientBody,
        most_bytes: Option<u64>,
        pace: Pace,
        identity: Arc<IdentitySettings>,
    ) -> Self {
        Self {
            inner: Some(inner),
            left: most_bytes,
            pace: Some(pace),
            identity: Some(identity),
            progress: Some(Arc::default()),
            watch: None,
        }
    }

    /// With a watch over its token. `traffic` is of the whole exchange.
    pub(crate) fn watch_token(mut self, watch: Option<BodyWatch>, traffic: Traffic) -> Self {
        self.watch = watch.map(|watch| (watch, traffic));
        self
    }

    /// No body.
    pub(crate) fn empty() -> Self {
        Self {
            inner: None,
            left: None,
            pace: None,
            identity: None,
            progress: None,
            watch: None,
        }
    }

    /// Shows from outside how far the body has come.
    pub(crate) fn progress(&self) -> Option<Arc<Progress>> {
        self.progress.clone()
    }

    /// Passes a frame on, if it is within bounds. The pause for the next one begins.
    fn pass(&mut self, frame: Frame<Bytes>) -> Option<Result<Frame<Bytes>, BodyFault>> {
        let bytes = frame.data_ref().map_or(0, Bytes::remaining) as u64;
        if let Some(pace) = &mut self.pace {
            pace.count(bytes);
        }
        if let Some(progress) = &self.progress {
            progress.made.store(true, Ordering::Relaxed);
        }
        if let Some(left) = &mut self.left {
            match left.checked_sub(bytes) {
                Some(fewer) => *left = fewer,
                None => return Some(Err(BodyFault::TooLarge)),
            }
        }
        let mut trailers = match frame.into_trailers() {
            Ok(trailers) => trailers,
            Err(data) => return Some(Ok(data)),
        };
        self.strip(&mut trailers);
        if trailers.is_empty() {
            return None;
        }
        Some(Ok(Frame::trailers(trailers)))
    }

    /// Whether its token is refused by now.
    fn has_ended(&mut self, context: &mut Context<'_>, waits: bool) -> bool {
        let Some((watch, traffic)) = &mut self.watch else {
            return false;
        };
        let end = if waits {
            watch.poll_waiting(context)
        } else {
            watch.poll_after_piece(context)
        };
        // A stream that is answered already ends there, with words for the client.
        end.is_ready() && !traffic.has_stream()
    }

    // Two passes: a map cannot be changed while its keys are borrowed.
    /// Removes trailers that a client must not send.
    fn strip(&self, trailers: &mut HeaderMap) {
        let mut removed = Vec::new();
        for name in trailers.keys() {
            if self.is_reserved(name) || FORBIDDEN_TRAILERS.contains(&name.as_str()) {
                removed.push(name.clone());
            }
        }
        for name in removed {
            trailers.remove(name);
        }
    }

    /// Whether only the gateway may set this field. Some servers merge trailers into the head, so
    /// a client could otherwise name its own identity there.
    fn is_reserved(&self, name: &HeaderName) -> bool {
        match &self.identity {
            Some(identity) => identity.is_reserved(name.as_str()),
            None => true,
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        // hyper drops a body at its end, and when it stops reading it.
        if let Some(progress) = &self.progress {
            progress.over.store(true, Ordering::Relaxed);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let next = match Pin::new(inner).poll_frame(context) {
            Poll::Ready(Some(Ok(_))) if self.has_ended(context, false) => {
                Some(Err(BodyFault::TokenEnded))
            }
            Poll::Ready(Some(Ok(frame))) => self.pass(frame),
            Poll::Ready(other) => other,
            Poll::Pending if self.has_ended(context, true) => Some(Err(BodyFault::TokenEnded)),
            // Only a wait for the client counts against its pace.
            Poll::Pending => {
                let Some(pace) = &mut self.pace else {
                    return Poll::Pending;
                };
                ready!(pace.poll_late(context));
                Some(Err(BodyFault::TooSlow))
            }
        };
        if let (Some(Err(fault)), Some(progress)) = (&next, &self.progress) {
            _ = progress.fault.set(*fault);
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) => inner.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

/// Shows no content.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of a request")
    }
}
