//! The addresses it listens on, from binding to stopping.

use crate::config::IdpConfig;
use crate::endpoint::http::peer::Peer;
use crate::keys::tls::Ready;
use crate::server::listen::Connections;
use axum::Router;
use portcullis_core::{ConfigError, ConfigErrors};
use rustls::ServerConfig;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What is bound, and not yet served.
pub(crate) struct Bound {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    /// For clients with certificates.
    mutual: Option<(TcpListener, SocketAddr)>,
}

/// What is served. It stops at once when it is dropped.
pub(crate) struct Servers {
    stop: Option<watch::Sender<()>>,
    serving: Vec<JoinHandle<()>>,
}

impl Bound {
    pub(crate) async fn new(config: &IdpConfig) -> Result<Self, ConfigErrors> {
        let bound = match TcpListener::bind(config.listen).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse && config.free_port_if_taken => {
                bind("listen", SocketAddr::new(config.listen.ip(), 0)).await
            }
            Err(error) => Err(unusable("listen", config.listen, &error)),
            Ok(listener) => with_address("listen", listener, config.listen),
        };
        let (listener, address) = bound?;
        let mutual = match &config.tls {
            None => None,
            Some(tls) => {
                let beside = SocketAddr::new(config.listen.ip(), 0);
                Some(bind("tls.mtls_listen", tls.mtls_listen.unwrap_or(beside)).await?)
            }
        };
        Ok(Self {
            listener,
            address,
            mutual,
        })
    }

    /// Where clients with certificates are heard.
    pub(crate) fn mutual_address(&self) -> Option<SocketAddr> {
        self.mutual.as_ref().map(|(_, address)| *address)
    }

    pub(crate) fn serve(self, router: &Router, tls: Option<&Ready>) -> Servers {
        let (stop, stopped) = watch::channel(());
        let server = |listener, tls: Option<&Arc<ServerConfig>>| {
            let connections = Connections::new(listener, tls.map(Arc::clone));
            let service = router.clone().into_make_service_with_connect_info::<Peer>();
            let (serve, mut stopped) = (axum::serve(connections, service), stopped.clone());
            tokio::spawn(async move {
                // An accept error ends the server; who needs it will see that nobody answers.
                _ = serve
                    .with_graceful_shutdown(async move { _ = stopped.changed().await })
                    .await;
            })
        };
        let mut serving = vec![server(self.listener, tls.map(|tls| &tls.server))];
        serving.extend(
            self.mutual
                .map(|(listener, _)| server(listener, tls.map(|tls| &tls.mutual))),
        );
        Servers {
            stop: Some(stop),
            serving,
        }
    }
}

impl Servers {
    /// Stops, and returns when the requests under way have been answered.
    pub(crate) async fn shutdown(&mut self) {
        drop(self.stop.take());
        for serving in self.serving.drain(..) {
            _ = serving.await;
        }
    }
}

/// Requests under way are cut off: a test that ends does not wait for them.
impl Drop for Servers {
    fn drop(&mut self) {
        for serving in &self.serving {
            serving.abort();
        }
    }
}

async fn bind(place: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), ConfigErrors> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| unusable(place, address, &error))?;
    with_address(place, listener, address)
}

fn with_address(
    place: &str,
    listener: TcpListener,
    wanted: SocketAddr,
) -> Result<(TcpListener, SocketAddr), ConfigErrors> {
    let address = listener
        .local_addr()
        .map_err(|error| unusable(place, wanted, &error))?;
    Ok((listener, address))
}

fn unusable(place: &str, address: SocketAddr, error: &std::io::Error) -> ConfigErrors {
    let cure = "choose another port, or 0 for any free one";
    let problem = format!("{address} cannot be listened on: {error}");
    ConfigError::wrong(place, problem).help(cure).into()
}
