//! The body of a server's response, and the connection that it comes by.

use super::idle_pool::IdlePool;
use super::link::Link;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The body of a server's response, and the connection that it comes by.
pub(crate) struct UpstreamBody {
    inner: Incoming,
    /// None where the connection has a task of its own, and when the body has ended. With the pool
    /// to keep it in.
    link: Option<(Box<Link>, Option<Arc<IdlePool>>)>,
    /// Why it breaks off, once what came before has gone out.
    fault: Option<hyper::Error>,
}

impl UpstreamBody {
    /// A body that comes by `link`. If the request has not ended yet, the link goes on without
    /// waiting for readers. `pool`: where to keep the link, if it can be used again.
    pub(super) fn new(
        inner: Incoming,
        link: Box<Link>,
        pool: Option<Arc<IdlePool>>,
        request_over: bool,
    ) -> Self {
        if !request_over {
            // Never kept: the rest of the request would be read as the next request.
            tokio::spawn(link.finish());
            return Self::from(inner);
        }
        let mut body = Self {
            inner,
            link: Some((link, pool)),
            fault: None,
        };
        if body.inner.is_end_stream() {
            body.release();
        }
        body
    }

    /// Keeps or closes the connection: the exchange is over.
    fn release(&mut self) {
        if let Some((link, Some(pool))) = self.link.take() {
            pool.keep(link);
        }
    }
}

/// A body whose connection has a task of its own.
impl From<Incoming> for UpstreamBody {
    fn from(inner: Incoming) -> Self {
        Self {
            inner,
            link: None,
            fault: None,
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(fault) = self.fault.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        let mut frame = Pin::new(&mut self.inner).poll_frame(context);
        if frame.is_pending()
            && let Some((link, _)) = &mut self.link
        {
            link.poll_connection(context);
            frame = Pin::new(&mut self.inner).poll_frame(context);
        }
        if let Poll::Ready(Some(Err(fault))) = frame {
            // hyper discards unsent data when a body fails. One more turn lets it go out first.
            self.fault = Some(fault);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        // A reader that knows the end from `is_end_stream` does not poll again.
        if matches!(frame, Poll::Ready(None)) || self.inner.is_end_stream() {
            self.release();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Shows no content.
impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of an upstream's response")
    }
}
