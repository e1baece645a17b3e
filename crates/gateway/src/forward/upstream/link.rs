//! A connection to a server, in HTTP/1.1: driven by the request that has it, so that nothing is
//! handed between tasks.
//!
//! The task of a request gives the connection its turns: while it waits for the head of the answer,
//! then whenever more of the body is asked for. With the answer's end the connection goes back
//! among the idle ones, or is closed where something is left over. It gets a task of its own where
//! it has to go on while nobody reads: where an answer begins before the request has ended, and
//! where the connection is taken over. Such a connection is not used again: what is left of the
//! request could be taken for the next one.
//!
//! Framing is hyper's. Who drops a request or its answer closes the connection.

use super::Server;
use super::wire::{Stream, Traffic, Wire};
use crate::forward::body::RequestBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::task::unconstrained;

type Refused = TrySendError<Request<RequestBody>>;

/// A connection that carries one request at a time.
pub(super) struct Link {
    sender: SendRequest<RequestBody>,
    /// None when it has ended.
    connection: Option<Connection<TokioIo<Wire>, RequestBody>>,
    traffic: Arc<Traffic>,
}

impl Link {
    /// Makes ready for requests what was connected.
    pub(super) async fn new(stream: Stream, builder: &Builder) -> hyper::Result<Box<Self>> {
        let (wire, traffic) = Wire::new(stream);
        let (sender, connection) = builder.handshake(wire).await?;
        Ok(Box::new(Self {
            sender,
            connection: Some(connection),
            traffic,
        }))
    }

    /// What went over the connection for its last request.
    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Whether it can carry another request, as far as one can see without waiting.
    pub(super) fn is_ready(&mut self) -> bool {
        // Nobody waits for it. Whoever uses it next gives it turns of their own.
        self.turn(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Sends a request, and waits for the head of the answer.
    pub(super) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Refused> {
        self.traffic.begin();
        // Without a budget, as the answer comes by our own turns alone: then there is nothing that
        // could be missed by waiting for those only. It would else wake the task that is at work
        // already.
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        poll_fn(|context| {
            self.turn(context);
            answer
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
    }

    /// Sends a request on a connection that may be taken over by the answer: it goes on by itself.
    pub(super) async fn send_to_upgrade(
        mut self: Box<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Refused> {
        if let Some(connection) = self.connection.take() {
            // What goes wrong is told to the request.
            tokio::spawn(async { _ = connection.with_upgrades().await });
        }
        self.sender.try_send_request(request).await
    }

    /// Goes on until the exchange is over.
    async fn finish(mut self: Box<Self>) {
        poll_fn(|context| {
            self.turn(context);
            match self.connection {
                Some(_) => self.sender.poll_ready(context).map(|_| ()),
                None => Poll::Ready(()),
            }
        })
        .await;
    }

    fn turn(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(context).is_ready()
        {
            // Dropped at once: it is then that whoever waits for it is told.
            self.connection = None;
        }
    }
}

/// The body of an answer, and the connection that it comes by.
pub(crate) struct AnswerBody {
    inner: Incoming,
    /// None where the connection has a task of its own, and when the body has ended. With the
    /// server to keep it for.
    link: Option<(Box<Link>, Option<Arc<Server>>)>,
    /// Why it breaks off, once what came before has gone out.
    fault: Option<hyper::Error>,
}

impl AnswerBody {
    /// A body that comes by `link`. If the request has not ended yet, the link goes on without
    /// waiting for readers. `keep`: the server to keep the link for, if it can be used again.
    pub(super) fn new(
        inner: Incoming,
        link: Box<Link>,
        keep: Option<Arc<Server>>,
        request_over: bool,
    ) -> Self {
        if request_over {
            let mut body = Self {
                inner,
                link: Some((link, keep)),
                fault: None,
            };
            if body.inner.is_end_stream() {
                body.release();
            }
            return body;
        }
        tokio::spawn(link.finish());
        Self {
            inner,
            link: None,
            fault: None,
        }
    }

    /// The exchange is over: the connection is kept, or closed.
    fn release(&mut self) {
        if let Some((link, Some(server))) = self.link.take() {
            server.keep(link);
        }
    }
}

/// A body whose connection has a task of its own.
impl From<Incoming> for AnswerBody {
    fn from(inner: Incoming) -> Self {
        Self {
            inner,
            link: None,
            fault: None,
        }
    }
}

impl Body for AnswerBody {
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
            link.turn(context);
            frame = Pin::new(&mut self.inner).poll_frame(context);
        }
        if let Poll::Ready(Some(Err(fault))) = frame {
            // In the turn that ends a connection, whoever is told so sends nothing of what came in
            // the same turn.
            self.fault = Some(fault);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Whoever is told that this is the end need not ask again.
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
impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of an answer")
    }
}

/// Shows whether it lives.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("open", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}
