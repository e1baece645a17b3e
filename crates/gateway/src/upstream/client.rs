//! The connections to servers: pooled, with TLS where the server wants it, and what can go wrong with them.

use crate::body::{BodyFault, Progress, RequestBody};
use crate::settings::{Protocol, UpstreamSettings};
use crate::tls;
use http::uri::Scheme;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use portcullis_core::ConfigError;
use std::error::Error;
use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

/// Shorter than the five seconds after which many servers close an idle connection, so that a request seldom meets
/// one that is being closed.
const IDLE: Duration = Duration::from_secs(4);
const MOST_IDLE: usize = 256;

type Pool = Client<HttpsConnector<HttpConnector>, RequestBody>;

/// The pools of one upstream.
#[derive(Debug)]
pub(super) struct Clients {
    http1: Pool,
    http2: Option<Pool>,
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
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).timer(TokioTimer::new());
        builder.pool_idle_timeout(IDLE).pool_max_idle_per_host(MOST_IDLE);
        let http2 = (settings.protocol == Protocol::Http2).then(|| {
            let mut builder = builder.clone();
            builder.http2_only(true).http2_adaptive_window(true);
            builder.build(connector().enable_http2().wrap_connector(tcp.clone()))
        });
        Ok(Self { http1: builder.build(connector().enable_http1().wrap_connector(tcp)), http2 })
    }

    /// Sends a request, and waits for the head of the answer: `timeout` from the last piece of the request on.
    pub(super) async fn send(
        &self,
        request: Request<RequestBody>,
        upgrade: bool,
        timeout: Duration,
        progress: Option<&Progress>,
    ) -> Result<Response<Incoming>, Fault> {
        let pool = self.http2.as_ref().filter(|_| !upgrade).unwrap_or(&self.http1);
        let mut answer = pin!(pool.request(request));
        loop {
            tokio::select! {
                answer = &mut answer => return answer.map_err(|error| Fault::of(&error)),
                () = tokio::time::sleep(timeout) => {
                    if progress.is_none_or(|progress| !progress.was_made()) {
                        return Err(Fault::TooSlow);
                    }
                }
            }
        }
    }
}

impl Fault {
    fn of(error: &hyper_util::client::legacy::Error) -> Self {
        let mut facts = error.to_string();
        let mut cause = error.source();
        let mut unanswered = false;
        while let Some(error) = cause {
            if let Some(fault) = error.downcast_ref::<BodyFault>() {
                return Self::Body(*fault);
            }
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                unanswered |= error.is_incomplete_message() || error.is_canceled() || error.is_closed();
            }
            _ = write!(facts, ": {error}");
            cause = error.source();
        }
        match (error.is_connect(), unanswered) {
            (true, _) => Self::Connect(facts),
            (false, true) => Self::Unanswered(facts),
            (false, false) => Self::Broken(facts),
        }
    }
}
