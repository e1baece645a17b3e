//! Sends requests to servers: over kept connections of HTTP/1.1, or over one of HTTP/2 that
//! requests share.

use super::connector::Connector;
use super::fault::{UpstreamFault, describe};
use super::link::Link;
use super::response_body::UpstreamBody;
use super::response_framing;
use super::server::Server;
use super::shared_connection::Lease;
use super::wire::ExchangeState;
use crate::forward::request_body::{Progress, RequestBody};
use crate::settings::{Protocol, UpstreamSettings};
use http::request::Parts;
use http::uri::Scheme;
use http::{Method, Request, Response};
use hyper::client::conn::{http1, http2};
use hyper_util::client::legacy::connect::Connection as _;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use portcullis_core::ConfigError;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

/// Sends requests to the servers of one upstream.
#[derive(Debug)]
pub(super) struct UpstreamClient {
    connector: Connector,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    protocol: Protocol,
    most_headers: usize,
}

/// One attempt to send a request.
pub(super) struct Call<'r> {
    /// The head, in the form for the protocol.
    pub(super) head: Parts,
    pub(super) upgrade: bool,
    pub(super) timeout: Duration,
    pub(super) progress: Option<&'r Progress>,
    /// Whether kept connections must not be used: the request has failed on one already.
    pub(super) fresh: bool,
}

impl UpstreamClient {
    pub(super) fn new(settings: &UpstreamSettings) -> Result<Self, ConfigError> {
        let bytes = usize::try_from(settings.header_bytes).unwrap_or(usize::MAX);
        let mut http1 = http1::Builder::new();
        http1.max_header_size(bytes);
        if settings.headers != UpstreamSettings::HEADERS {
            // Not set for the default: hyper then parses the fields without an allocation.
            http1.max_headers(settings.headers);
        }
        if bytes > UpstreamSettings::BUFFER_BYTES {
            http1.max_buf_size(bytes);
        }
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .adaptive_window(true)
            .max_header_list_size(settings.header_bytes);
        Ok(Self {
            connector: Connector::new(settings)?,
            http1,
            http2,
            protocol: settings.protocol,
            most_headers: settings.headers,
        })
    }

    /// Whether a call goes out over HTTP/2.
    pub(super) fn is_http2(&self, upgrade: bool) -> bool {
        // An upgrade (RFC 9110, section 7.8) exists in HTTP/1.1 only.
        self.protocol == Protocol::Http2 && !upgrade
    }

    /// Sends a request, and waits for the head of the response: `timeout` from the last piece of
    /// the request on. The body is left where it is if no byte was sent.
    pub(super) async fn send(
        &self,
        server: &Arc<Server>,
        call: Call<'_>,
        body: &mut Option<RequestBody>,
    ) -> Result<Response<UpstreamBody>, UpstreamFault> {
        let (timeout, progress) = (call.timeout, call.progress);
        let (mut lease, mut exchange) = (None, None);
        let response = {
            let response = pin!(async {
                if self.is_http2(call.upgrade) {
                    Box::pin(self.send_http2(server, call, body, &mut lease)).await
                } else {
                    self.send_http1(server, call, body, &mut exchange)
                        .await
                }
            });
            wait(response, timeout, progress).await
        };
        let mut fault = match response {
            Ok(response) => return Ok(response),
            Err(fault) => fault,
        };
        if let (UpstreamFault::TooSlow { begun }, Some(exchange)) = (&mut fault, exchange) {
            *begun = exchange.has_received();
        }
        // A failed body is the cause, even where hyper reports only its consequences.
        if let Some(cause) = progress.and_then(Progress::fault) {
            fault = UpstreamFault::Body(cause);
        }
        // These two end one stream only; every other fault is the connection's.
        let ends_stream_only = matches!(fault, UpstreamFault::Body(_) | UpstreamFault::Reset(_));
        if let Some(lease) = lease
            && !ends_stream_only
        {
            server.shared.retire(&lease);
        }
        Err(fault)
    }

    async fn send_http1(
        &self,
        server: &Arc<Server>,
        call: Call<'_>,
        body: &mut Option<RequestBody>,
        exchange: &mut Option<Arc<ExchangeState>>,
    ) -> Result<Response<UpstreamBody>, UpstreamFault> {
        let method = call.head.method.clone();
        let sent = body.take().unwrap_or_else(RequestBody::empty);
        let mut request = Request::from_parts(call.head, sent);
        // Rare steps are boxed: otherwise the future of each request has room for a TLS handshake.
        if call.upgrade {
            return Box::pin(self.send_upgrade(server, request, &method)).await;
        }
        loop {
            let kept = if call.fresh { None } else { server.idle.take() };
            let was_kept = kept.is_some();
            let mut link = match kept {
                Some(link) => link,
                None => match Box::pin(self.connect(server)).await {
                    Ok(link) => link,
                    Err(fault) => {
                        *body = Some(request.into_body());
                        return Err(fault);
                    }
                },
            };
            *exchange = Some(Arc::clone(link.exchange()));
            let mut error = match link.send(request).await {
                Ok(mut response) => {
                    let is_reusable = response_framing::check_http1(&mut response, &method)?;
                    let pool = is_reusable.then(|| Arc::clone(&server.idle));
                    let over = call.progress.is_none_or(Progress::is_over);
                    return Ok(response.map(|body| UpstreamBody::new(body, link, pool, over)));
                }
                Err(error) => error,
            };
            let Some(unsent) = error.take_message() else {
                let state = link.exchange();
                let (sent, received) = (state.has_sent(), state.has_received());
                let error = error.error();
                return Err(UpstreamFault::from_http1(error, sent, received, was_kept));
            };
            if !was_kept {
                *body = Some(unsent.into_body());
                return Err(UpstreamFault::Connect(describe(error.error())));
            }
            // The server closed an idle connection before anything was sent. The loop ends: each
            // round takes one link from the pool.
            request = unsent;
        }
    }

    /// Sends a request after which the connection may be taken over, on a connection of its own.
    async fn send_upgrade(
        &self,
        server: &Server,
        request: Request<RequestBody>,
        method: &Method,
    ) -> Result<Response<UpstreamBody>, UpstreamFault> {
        let link = self.connect(server).await?;
        let exchange = Arc::clone(link.exchange());
        let mut response = match link.send_to_upgrade(request).await {
            Ok(response) => response,
            Err(error) => {
                let (sent, received) = (exchange.has_sent(), exchange.has_received());
                let error = error.error();
                return Err(UpstreamFault::from_http1(error, sent, received, false));
            }
        };
        response_framing::check_http1(&mut response, method)?;
        Ok(response.map(UpstreamBody::from))
    }

    async fn send_http2(
        &self,
        server: &Arc<Server>,
        call: Call<'_>,
        body: &mut Option<RequestBody>,
        used: &mut Option<Lease>,
    ) -> Result<Response<UpstreamBody>, UpstreamFault> {
        let mut head = call.head;
        loop {
            // This request is counted already.
            let alone = server.in_flight() <= 1;
            let lease = server
                .shared
                .lease(alone, self.open_http2(server))
                .await?;
            let lease = used.insert(lease);
            let sent = body.take().unwrap_or_else(RequestBody::empty);
            let request = Request::from_parts(head, sent);
            let mut error = match lease.sender.try_send_request(request).await {
                Ok(mut response) => {
                    response_framing::check_http2(&mut response, self.most_headers)?;
                    return Ok(response.map(UpstreamBody::from));
                }
                Err(error) => error,
            };
            let Some(unsent) = error.take_message() else {
                return Err(UpstreamFault::from_http2(error.error(), lease.kept));
            };
            let unsent_body;
            (head, unsent_body) = unsent.into_parts();
            *body = Some(unsent_body);
            server.shared.retire(lease);
            if !lease.kept {
                return Err(UpstreamFault::Connect(describe(error.error())));
            }
        }
    }

    async fn open_http2(&self, server: &Server) -> Result<http2::SendRequest<RequestBody>, String> {
        let stream = self.connector.connect(server, true).await?;
        // Without TLS there is no ALPN: the settings say that the server speaks HTTP/2.
        if server.scheme == Scheme::HTTPS && !stream.connected().is_negotiated_h2() {
            return Err("the server does not offer HTTP/2 (ALPN `h2`)".to_owned());
        }
        let (sender, connection) = match self.http2.handshake(stream).await {
            Ok(opened) => opened,
            Err(error) => return Err(describe(&error)),
        };
        // The requests get the error, so this task has nothing to report.
        tokio::spawn(async { _ = connection.await });
        Ok(sender)
    }

    async fn connect(&self, server: &Server) -> Result<Box<Link>, UpstreamFault> {
        let stream = match self.connector.connect(server, false).await {
            Ok(stream) => stream,
            Err(facts) => return Err(UpstreamFault::Connect(facts)),
        };
        match Link::new(stream, &self.http1).await {
            Ok(link) => Ok(link),
            Err(error) => Err(UpstreamFault::Connect(describe(&error))),
        }
    }
}

/// Waits for a response. Each piece of the request's body begins the timeout again.
async fn wait<T>(
    mut response: Pin<&mut impl Future<Output = Result<T, UpstreamFault>>>,
    timeout: Duration,
    progress: Option<&Progress>,
) -> Result<T, UpstreamFault> {
    loop {
        tokio::select! {
            // A response that is there counts, even if the timer has fired as well.
            biased;
            response = &mut response => return response,
            () = tokio::time::sleep(timeout) => {
                if !progress.is_some_and(Progress::was_made) {
                    return Err(UpstreamFault::TooSlow { begun: false });
                }
            }
        }
    }
}
