//! Asking servers: over connections of HTTP/1.1 that are kept, or over the pool of HTTP/2, with TLS where the server wants
//! it; and what can go wrong.

use super::Server;
use super::idle::{IDLE, MOST_IDLE};
use super::link::{AnswerBody, Link};
use crate::body::{BodyFault, Progress, RequestBody};
use crate::settings::{Protocol, UpstreamSettings};
use crate::tls;
use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use portcullis_core::ConfigError;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tower_service::Service as _;

type Connector = HttpsConnector<HttpConnector>;

/// The ways to the servers of one upstream.
#[derive(Debug)]
pub(super) struct Clients {
    http1: Connector,
    http2: Option<Client<Connector, RequestBody>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no connection; the request was not sent.
    Connect(String),
    /// The connection ended before anything was answered.
    Unanswered(String),
    /// What came was no HTTP.
    Broken(String),
    /// Nothing came.
    TooSlow,
    /// The request's own body.
    Body(BodyFault),
}

impl Clients {
    pub(super) fn new(settings: &UpstreamSettings) -> Result<Self, ConfigError> {
        let place = format!("upstream `{}`", settings.name);
        let tls = if settings.servers.iter().any(|(scheme, _)| *scheme == Scheme::HTTPS) {
            tls::client_config(&place, settings.authorities.as_deref())?
        } else {
            tls::no_client_config(&place)?
        };
        let connector = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        tcp.enforce_http(false);
        let http2 = (settings.protocol == Protocol::Http2).then(|| {
            let mut builder = Client::builder(TokioExecutor::new());
            builder.pool_timer(TokioTimer::new()).timer(TokioTimer::new());
            builder.pool_idle_timeout(IDLE).pool_max_idle_per_host(MOST_IDLE);
            builder.http2_only(true).http2_adaptive_window(true);
            builder.build(connector().enable_http2().wrap_connector(tcp.clone()))
        });
        Ok(Self { http1: connector().enable_http1().wrap_connector(tcp), http2 })
    }

    /// Sends a request, and waits for the head of the answer: `timeout` from the last piece of the request on.
    pub(super) async fn send(
        &self,
        server: &Arc<Server>,
        request: Request<RequestBody>,
        upgrade: bool,
        timeout: Duration,
        progress: Option<&Progress>,
    ) -> Result<Response<AnswerBody>, Fault> {
        let mut answer = pin!(async {
            match self.http2.as_ref().filter(|_| !upgrade) {
                Some(pool) => {
                    let response =
                        Box::pin(pool.request(request)).await.map_err(|error| Fault::of(&error))?;
                    Ok(response.map(AnswerBody::from))
                }
                None => self.over_http1(server, request, upgrade, progress).await,
            }
        });
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                () = tokio::time::sleep(timeout) => {
                    if progress.is_none_or(|progress| !progress.was_made()) {
                        return Err(Fault::TooSlow);
                    }
                }
            }
        }
    }

    async fn over_http1(
        &self,
        server: &Arc<Server>,
        request: Request<RequestBody>,
        upgrade: bool,
        progress: Option<&Progress>,
    ) -> Result<Response<AnswerBody>, Fault> {
        let mut request = in_origin_form(request, server);
        // What is rare is apart: else each request would carry the room that a TLS handshake takes.
        if upgrade {
            let link = Box::pin(self.connect(server)).await?;
            let answer = Box::pin(link.send_to_upgrade(request)).await;
            return answer.map(|answer| answer.map(AnswerBody::from)).map_err(|it| Fault::of(it.error()));
        }
        loop {
            let kept = server.idle.take();
            let was_kept = kept.is_some();
            let mut link = match kept {
                Some(link) => link,
                None => Box::pin(self.connect(server)).await?,
            };
            match link.send(request).await {
                Ok(answer) => {
                    let over = progress.is_none_or(Progress::is_over);
                    return Ok(answer.map(|body| AnswerBody::new(body, link, Arc::clone(server), over)));
                }
                Err(mut refused) => match refused.take_message() {
                    // It was closed before anything was sent: another one will do, and there are no more of them than are kept.
                    Some(unsent) if was_kept => request = unsent,
                    _ => return Err(Fault::of(refused.error())),
                },
            }
        }
    }

    async fn connect(&self, server: &Server) -> Result<Box<Link>, Fault> {
        let stream = self.http1.clone().call(server.uri.clone()).await;
        let stream = stream.map_err(|error| Fault::Connect(told(&*error)))?;
        Link::new(stream).await.map_err(|error| Fault::Connect(told(&error)))
    }
}

/// A request as servers expect it that are no proxies: the target by its path, the host in a header
/// (RFC 9112, section 3.2.1).
fn in_origin_form(mut request: Request<RequestBody>, server: &Server) -> Request<RequestBody> {
    let target = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
    request.headers_mut().entry(HOST).or_insert_with(|| server.host.clone());
    request
}

impl Fault {
    fn of(error: &(dyn Error + 'static)) -> Self {
        if let Some(fault) = chain(error).find_map(|error| error.downcast_ref::<BodyFault>()) {
            return Self::Body(*fault);
        }
        if error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|it| it.is_connect()) {
            return Self::Connect(told(error));
        }
        let unanswered =
            |error: &hyper::Error| error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        match chain(error).any(|error| error.downcast_ref().is_some_and(unanswered)) {
            true => Self::Unanswered(told(error)),
            false => Self::Broken(told(error)),
        }
    }
}

fn told(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An error, and what it comes from.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}
