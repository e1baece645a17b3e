//! Asking servers: over connections of HTTP/1.1 that are kept, or over one of HTTP/2 that requests
//! share, with TLS where the server wants it.

use super::Server;
use super::answer;
use super::fault::{Fault, told};
use super::link::{AnswerBody, Link};
use super::shared::Lease;
use super::wire::{Stream, Traffic};
use crate::forward::body::{Progress, RequestBody};
use crate::settings::{Protocol, UpstreamSettings};
use crate::transport::tls;
use http::request::Parts;
use http::{Method, Request, Response};
use hyper::client::conn::{http1, http2};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connection as _, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use portcullis_core::ConfigError;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tower_service::Service as _;

/// The ways to the servers of one upstream.
#[derive(Debug)]
pub(super) struct Clients {
    connector: HttpsConnector<HttpConnector>,
    /// The same, for connections of HTTP/2.
    connector2: HttpsConnector<HttpConnector>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    protocol: Protocol,
    connect_timeout: Duration,
    headers: usize,
}

/// One try to send a request.
pub(super) struct Call<'r> {
    /// The head, in the form for the protocol.
    pub(super) head: Parts,
    pub(super) upgrade: bool,
    pub(super) timeout: Duration,
    pub(super) progress: Option<&'r Progress>,
    /// Whether kept connections must not be used: the request has failed on one already.
    pub(super) fresh: bool,
}

impl Clients {
    pub(super) fn new(settings: &UpstreamSettings) -> Result<Self, ConfigError> {
        let place = format!("upstream `{}`", settings.name);
        let tls = if settings
            .servers
            .iter()
            .any(|(scheme, _)| *scheme == http::uri::Scheme::HTTPS)
        {
            tls::client_config(&place, settings.authorities.as_deref())?
        } else {
            tls::no_client_config(&place)?
        };
        let connector = || {
            HttpsConnectorBuilder::new()
                .with_tls_config(tls.clone())
                .https_or_http()
        };
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        tcp.enforce_http(false);
        let bytes = usize::try_from(settings.header_bytes).unwrap_or(usize::MAX);
        let mut http1 = http1::Builder::new();
        http1.max_header_size(bytes);
        if settings.headers != UpstreamSettings::HEADERS {
            // Not said for the default: the parser then needs no memory of its own for them.
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
            connector: connector().enable_http1().wrap_connector(tcp.clone()),
            connector2: connector().enable_http2().wrap_connector(tcp),
            http1,
            http2,
            protocol: settings.protocol,
            connect_timeout: settings.connect_timeout,
            headers: settings.headers,
        })
    }

    /// Whether a call goes out over HTTP/2.
    pub(super) fn is_http2(&self, upgrade: bool) -> bool {
        self.protocol == Protocol::Http2 && !upgrade
    }

    /// Sends a request, and waits for the head of the answer: `timeout` from the last piece of the
    /// request on. The body is left where it is if no byte was sent.
    pub(super) async fn send(
        &self,
        server: &Arc<Server>,
        call: Call<'_>,
        body: &mut Option<RequestBody>,
    ) -> Result<Response<AnswerBody>, Fault> {
        let (timeout, progress) = (call.timeout, call.progress);
        let (mut lease, mut traffic) = (None, None);
        let answer = {
            let mut answer = pin!(async {
                if self.is_http2(call.upgrade) {
                    Box::pin(self.over_http2(server, call, body, &mut lease)).await
                } else {
                    self.over_http1(server, call, body, &mut traffic).await
                }
            });
            loop {
                tokio::select! {
                    biased;
                    answer = &mut answer => break answer,
                    () = tokio::time::sleep(timeout) => {
                        if progress.is_none_or(|progress| !progress.was_made()) {
                            break Err(Fault::TooSlow { begun: false });
                        }
                    }
                }
            }
        };
        let answer = match (answer, traffic) {
            (Err(Fault::TooSlow { .. }), Some(traffic)) => Err(Fault::TooSlow {
                begun: traffic.heard(),
            }),
            (answer, _) => answer,
        };
        // The cause is the body's own, even where the library tells of its consequences only.
        let fault = match (answer, progress.and_then(Progress::fault)) {
            (Ok(answer), _) => return Ok(answer),
            (Err(_), Some(fault)) => Fault::Body(fault),
            (Err(fault), None) => fault,
        };
        if let Some(lease) = lease.filter(|_| !matches!(fault, Fault::Body(_) | Fault::Reset(_))) {
            server.shared.retire(&lease);
        }
        Err(fault)
    }

    async fn over_http1(
        &self,
        server: &Arc<Server>,
        call: Call<'_>,
        body: &mut Option<RequestBody>,
        traffic: &mut Option<Arc<Traffic>>,
    ) -> Result<Response<AnswerBody>, Fault> {
        let method = call.head.method.clone();
        let mut request =
            Request::from_parts(call.head, body.take().unwrap_or_else(RequestBody::empty));
        // What is rare is apart: else each request would carry the room that a TLS handshake takes.
        if call.upgrade {
            return Box::pin(self.upgrade(server, request, &method)).await;
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
            *traffic = Some(Arc::clone(link.traffic()));
            let mut answer = match link.send(request).await {
                Ok(answer) => answer,
                Err(mut refused) => match refused.take_message() {
                    // It was closed before anything was sent: another one will do, and there are no
                    // more of them than are kept.
                    Some(unsent) if was_kept => {
                        request = unsent;
                        continue;
                    }
                    Some(unsent) => {
                        *body = Some(unsent.into_body());
                        return Err(Fault::Connect(told(refused.error())));
                    }
                    None => {
                        let traffic = link.traffic();
                        let (wrote, heard) = (traffic.wrote(), traffic.heard());
                        return Err(Fault::of_http1(refused.error(), wrote, heard, was_kept));
                    }
                },
            };
            let keep = answer::check_http1(&mut answer, &method)?.then(|| Arc::clone(server));
            let over = call.progress.is_none_or(Progress::is_over);
            return Ok(answer.map(|body| AnswerBody::new(body, link, keep, over)));
        }
    }

    /// Sends a request after which the connection may be taken over, on a connection of its own.
    async fn upgrade(
        &self,
        server: &Server,
        request: Request<RequestBody>,
        method: &Method,
    ) -> Result<Response<AnswerBody>, Fault> {
        let link = self.connect(server).await?;
        let traffic = Arc::clone(link.traffic());
        let mut answer = link
            .send_to_upgrade(request)
            .await
            .map_err(|it| Fault::of_http1(it.error(), traffic.wrote(), traffic.heard(), false))?;
        answer::check_http1(&mut answer, method)?;
        Ok(answer.map(AnswerBody::from))
    }

    async fn over_http2(
        &self,
        server: &Arc<Server>,
        call: Call<'_>,
        body: &mut Option<RequestBody>,
        used: &mut Option<Lease>,
    ) -> Result<Response<AnswerBody>, Fault> {
        let mut head = call.head;
        loop {
            let alone = server.under_way.load(Ordering::Relaxed) <= 1;
            let lease = used.insert(server.shared.lease(alone, self.open_http2(server)).await?);
            let request = Request::from_parts(head, body.take().unwrap_or_else(RequestBody::empty));
            let refused = match lease.sender.try_send_request(request).await {
                Ok(mut answer) => {
                    answer::check_http2(&mut answer, self.headers)?;
                    return Ok(answer.map(AnswerBody::from));
                }
                Err(refused) => refused,
            };
            let mut refused = refused;
            let Some(unsent) = refused.take_message() else {
                return Err(Fault::of_http2(refused.error(), lease.kept));
            };
            let unsent_body;
            (head, unsent_body) = unsent.into_parts();
            *body = Some(unsent_body);
            server.shared.retire(lease);
            if !lease.kept {
                return Err(Fault::Connect(told(refused.error())));
            }
        }
    }

    async fn open_http2(&self, server: &Server) -> Result<http2::SendRequest<RequestBody>, String> {
        let stream = self.stream(&self.connector2, server).await?;
        if *server.uri.scheme_str().unwrap_or_default() == *"https"
            && !stream.connected().is_negotiated_h2()
        {
            return Err("the server does not offer HTTP/2 (ALPN `h2`)".to_owned());
        }
        let (sender, connection) = self
            .http2
            .handshake(stream)
            .await
            .map_err(|error| told(&error))?;
        // What goes wrong is told to the requests.
        tokio::spawn(async { _ = connection.await });
        Ok(sender)
    }

    async fn connect(&self, server: &Server) -> Result<Box<Link>, Fault> {
        let stream = self
            .stream(&self.connector, server)
            .await
            .map_err(Fault::Connect)?;
        Link::new(stream, &self.http1)
            .await
            .map_err(|error| Fault::Connect(told(&error)))
    }

    /// A connection, TLS included, within the time for that.
    async fn stream(
        &self,
        connector: &HttpsConnector<HttpConnector>,
        server: &Server,
    ) -> Result<Stream, String> {
        let connecting = connector.clone().call(server.uri.clone());
        match tokio::time::timeout(self.connect_timeout, connecting).await {
            Ok(stream) => stream.map_err(|error| told(&*error)),
            Err(_) => Err("the connection was not made in time".to_owned()),
        }
    }
}
