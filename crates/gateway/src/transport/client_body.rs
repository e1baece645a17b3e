//! The body of a request as it arrives. After an early answer, the rest is read for a moment.
//!
//! Dropping an unfinished body resets the stream (HTTP/2) or the connection (HTTP/1.1), and many
//! clients then lose the answer. So the rest is read and discarded, with bounds on bytes, on time,
//! and on how many are read at once. Trailers have the same bounds as the fields of the head.

use crate::transport::activity::Activity;
use crate::transport::places::Places;
use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

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

/// Why a request's body ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    TooSlow,
    /// Trailers out of bounds.
    TooManyFields,
    /// The client went away, or framed it badly.
    Broken,
}

/// The bounds of a body.
#[derive(Clone, Debug)]
pub(crate) struct BodyTerms {
    /// Places for rests that are read at the same time.
    pub(crate) rests: Arc<Places>,
    /// How long a rest is read.
    pub(crate) linger: Duration,
    pub(crate) most_trailers: usize,
    /// The connection, if trailers have to be in proportion to the bytes received.
    pub(crate) activity: Option<Arc<Activity>>,
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
        let in_proportion = |activity: &Arc<Activity>| activity.is_in_proportion(size(trailers));
        trailers.len() <= self.most_trailers && self.activity.as_ref().is_none_or(in_proportion)
    }
}

/// The size of header fields as HTTP/1.1 writes them.
pub(crate) fn size(headers: &HeaderMap) -> u64 {
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
        let frame = Pin::new(inner)
            .poll_frame(context)
            .map_err(|_| BodyFault::Broken);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                if frame
                    .trailers_ref()
                    .is_some_and(|trailers| !self.terms.allow(trailers))
                {
                    return Poll::Ready(Some(Err(BodyFault::TooManyFields)));
                }
            }
            Poll::Ready(None | Some(Err(_))) => self.whole = true,
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the body is larger than the route allows",
            Self::TooSlow => "the body came too slowly",
            Self::TooManyFields => {
                "the body has more trailers than limits.headers, or too large ones"
            }
            Self::Broken => "the client broke the body off",
        })
    }
}

impl std::error::Error for BodyFault {}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if self.whole || self.waits {
            return;
        }
        let Some(inner) = self.inner.take().filter(|inner| !inner.is_end_stream()) else {
            return;
        };
        if let (Some(place), Ok(runtime)) = (
            self.terms.rests.take(),
            tokio::runtime::Handle::try_current(),
        ) {
            let linger = self.terms.linger;
            runtime.spawn(async move {
                let _place = place;
                _ = tokio::time::timeout(linger, read(inner)).await;
            });
        }
    }
}

async fn read(mut body: Incoming) {
    let mut left = MOST_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
        match left.checked_sub(bytes) {
            Some(fewer) => left = fewer,
            None => return,
        }
    }
}
