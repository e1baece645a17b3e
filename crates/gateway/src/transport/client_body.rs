//! The body of a request as it arrives. After an early response, the rest is read for a moment.
//!
//! Dropping an unfinished body resets the stream (HTTP/2) or the connection (HTTP/1.1), and many
//! clients then lose the response. So the rest is read and discarded, with bounds on bytes, on
//! time, and on how many are read at once. Trailers have the same bounds as the fields of the head.

use crate::transport::activity::Activity;
use crate::transport::slots::Slots;
use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;

/// Most bytes of a discarded rest: more than the default `body_bytes`.
const MOST_BYTES: u64 = 16 * 1_048_576;

/// The body of a request, as its client sends it.
#[derive(Debug)]
pub(crate) struct ClientBody {
    inner: Option<Incoming>,
    terms: BodyTerms,
    /// Whether the client waits for `100 Continue`. Reading would send it.
    waits: bool,
    /// Whether the body has ended.
    whole: bool,
}

/// The bounds of a body.
#[derive(Clone, Debug)]
pub(crate) struct BodyTerms {
    /// Slots for rests that are read at the same time.
    pub(crate) rests: Arc<Slots>,
    /// How long a rest is read.
    pub(crate) linger: Duration,
    pub(crate) most_trailers: usize,
    /// The connection, if trailers have to be in proportion to the bytes received.
    pub(crate) activity: Option<Arc<Activity>>,
}

/// Why a request's body ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    TooSlow,
    /// Trailers out of bounds.
    TooManyFields,
    /// The client went away, or framed it badly.
    Broken,
    /// Its token is refused by now.
    TokenEnded,
}

impl ClientBody {
    /// A body; `waits` if the client waits for `100 Continue`.
    pub(crate) fn new(inner: Incoming, terms: BodyTerms, waits: bool) -> Self {
        let whole = inner.is_end_stream();
        Self {
            inner: Some(inner),
            terms,
            waits,
            whole,
        }
    }
}

impl BodyTerms {
    fn allow(&self, trailers: &HeaderMap) -> bool {
        if trailers.len() > self.most_trailers {
            return false;
        }
        match &self.activity {
            Some(activity) => activity.is_in_proportion(size(trailers)),
            None => true,
        }
    }
}

/// The size of header fields as HTTP/1.1 writes them.
pub(crate) fn size(headers: &HeaderMap) -> u64 {
    // Four bytes for the colon, a space and the end of the line.
    headers
        .iter()
        .map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64)
        .sum()
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        self.waits = false;
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        match Pin::new(inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref()
                    && !self.terms.allow(trailers)
                {
                    return Poll::Ready(Some(Err(BodyFault::TooManyFields)));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.whole = true;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(_))) => {
                // Nothing more can be read, so there is no rest to discard.
                self.whole = true;
                Poll::Ready(Some(Err(BodyFault::Broken)))
            }
            Poll::Pending => Poll::Pending,
        }
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

impl Drop for ClientBody {
    fn drop(&mut self) {
        // A client that waits for `100 Continue` has sent nothing, and now never will.
        if self.whole || self.waits {
            return;
        }
        let Some(rest) = self.inner.take() else {
            return;
        };
        if rest.is_end_stream() {
            return;
        }
        // Without a free slot the rest is not read: the client may lose the response, but junk
        // bodies cannot pile up.
        if let (Some(slot), Ok(runtime)) = (self.terms.rests.take(), Handle::try_current()) {
            let linger = self.terms.linger;
            runtime.spawn(async move {
                let _slot = slot;
                _ = tokio::time::timeout(linger, discard(rest)).await;
            });
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut left = MOST_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::remaining) as u64;
        match left.checked_sub(bytes) {
            Some(fewer) => left = fewer,
            None => return,
        }
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the body is larger than the route allows",
            Self::TooSlow => "the body came too slowly",
            Self::TooManyFields => "the body has trailers beyond limits.headers, or too large ones",
            Self::Broken => "the client broke off the body",
            Self::TokenEnded => "the token of the request ended before its body",
        })
    }
}

impl Error for BodyFault {}
