//! New connections to the servers of an upstream: TCP, with TLS where the address says `https`.

use super::fault::describe;
use super::server::Server;
use super::wire::ServerStream;
use crate::settings::UpstreamSettings;
use crate::transport::tls;
use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use portcullis_core::ConfigError;
use std::time::Duration;
use tower_service::Service as _;

/// Opens connections to the servers of one upstream.
#[derive(Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    /// None if no server of the upstream uses TLS.
    tls: Option<TlsConnectors>,
    timeout: Duration,
}

/// One for each protocol, as ALPN offers it.
#[derive(Debug)]
struct TlsConnectors {
    http1: HttpsConnector<HttpConnector>,
    http2: HttpsConnector<HttpConnector>,
}

impl Connector {
    pub(super) fn new(settings: &UpstreamSettings) -> Result<Self, ConfigError> {
        let mut tcp = HttpConnector::new();
        // Without it, the head of a request may wait for an acknowledgement (Nagle).
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        // By default it refuses `https` addresses, before TLS gets its turn.
        tcp.enforce_http(false);
        let mut servers = settings.servers.iter();
        let tls = if servers.any(|(scheme, _)| *scheme == Scheme::HTTPS) {
            Some(TlsConnectors::new(settings, &tcp)?)
        } else {
            None
        };
        Ok(Self {
            tcp,
            tls,
            timeout: settings.connect_timeout,
        })
    }

    /// Connects to a server, TLS included, within the timeout.
    pub(super) async fn connect(
        &self,
        server: &Server,
        http2: bool,
    ) -> Result<ServerStream, String> {
        let connecting = self.open(server.uri.clone(), http2);
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(stream) => stream,
            Err(_) => Err("connecting timed out".to_owned()),
        }
    }

    async fn open(&self, uri: Uri, http2: bool) -> Result<ServerStream, String> {
        let Some(tls) = &self.tls else {
            return match self.tcp.clone().call(uri).await {
                Ok(stream) => Ok(ServerStream::Http(stream)),
                Err(error) => Err(describe(&error)),
            };
        };
        let mut connector = if http2 { &tls.http2 } else { &tls.http1 }.clone();
        match connector.call(uri).await {
            Ok(stream) => Ok(stream),
            Err(error) => Err(describe(&*error)),
        }
    }
}

impl TlsConnectors {
    fn new(settings: &UpstreamSettings, tcp: &HttpConnector) -> Result<Self, ConfigError> {
        let place = format!("upstream `{}`", settings.name);
        let config = tls::client_config(&place, settings.authorities.as_deref())?;
        // An upstream may mix both schemes, so these take `http` addresses too.
        let http1 = HttpsConnectorBuilder::new()
            .with_tls_config(config.clone())
            .https_or_http()
            .enable_http1();
        let http2 = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http2();
        Ok(Self {
            http1: http1.wrap_connector(tcp.clone()),
            http2: http2.wrap_connector(tcp.clone()),
        })
    }
}
