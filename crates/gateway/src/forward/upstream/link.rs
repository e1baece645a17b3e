//! A connection to a server, in HTTP/1.1: driven by the request that has it, so that nothing is
//! handed between tasks.
//!
//! The task of a request polls the connection: while it waits for the head of the response, then
//! whenever more of the body is asked for. After the response, the connection goes back to the idle
//! pool, or is closed if something is left over. It gets a task of its own where it has to go on
//! while nobody reads: where a response begins before the request has ended, and where the
//! connection is taken over. Such a connection is not used again: the rest of its request could be
//! taken for the next one.
//!
//! Framing is hyper's. Dropping a request or its response closes the connection.

use super::wire::{ExchangeState, ServerStream, Wire};
use crate::forward::request_body::RequestBody;
use http::{Request, Response};
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

/// The request comes back in it if no byte was sent.
type SendError = TrySendError<Request<RequestBody>>;

/// A connection that carries one request at a time.
pub(super) struct Link {
    sender: SendRequest<RequestBody>,
    /// None when it has ended.
    connection: Option<Connection<TokioIo<Wire>, RequestBody>>,
    exchange: Arc<ExchangeState>,
}

impl Link {
    /// Prepares a new connection for requests.
    pub(super) async fn new(stream: ServerStream, builder: &Builder) -> hyper::Result<Box<Self>> {
        let (wire, exchange) = Wire::new(stream);
        let (sender, connection) = builder.handshake(wire).await?;
        Ok(Box::new(Self {
            sender,
            connection: Some(connection),
            exchange,
        }))
    }

    /// Which directions carried bytes for the last request.
    pub(super) fn exchange(&self) -> &Arc<ExchangeState> {
        &self.exchange
    }

    /// Whether it can carry another request, as far as can be seen without waiting.
    pub(super) fn is_ready(&mut self) -> bool {
        // Nobody waits for an idle connection, so nobody needs to be woken by it.
        self.poll_connection(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Sends a request, and waits for the head of the response.
    pub(super) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        self.exchange.reset();
        // The response only comes by polling the connection here, so no wake-up can be missed, and
        // a waker would wake the task that is already running. `unconstrained`: Tokio's budget
        // must not make it pending without a waker.
        let mut response = pin!(unconstrained(self.sender.try_send_request(request)));
        poll_fn(|context| {
            self.poll_connection(context);
            response
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
    }

    /// Sends a request on a connection that the response may take over. It goes on by itself.
    pub(super) async fn send_to_upgrade(
        mut self: Box<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        if let Some(connection) = self.connection.take() {
            // The request gets the error, so this task has nothing to report.
            tokio::spawn(async { _ = connection.with_upgrades().await });
        }
        self.sender.try_send_request(request).await
    }

    /// Goes on until the exchange is over.
    pub(super) async fn finish(mut self: Box<Self>) {
        poll_fn(|context| {
            self.poll_connection(context);
            match self.connection {
                Some(_) => self.sender.poll_ready(context).map(|_| ()),
                None => Poll::Ready(()),
            }
        })
        .await;
    }

    /// Lets the connection read and write what it can.
    pub(super) fn poll_connection(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(context).is_ready()
        {
            // Dropped at once: only the drop tells the waiting request that it has ended.
            self.connection = None;
        }
    }
}

/// Shows whether it is open.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("open", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}
