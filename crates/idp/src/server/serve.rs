//! The listeners of the provider, from binding to stopping.

use crate::config::IdpConfig;
use crate::endpoint::http::peer::ConnectionPeer;
use crate::keys::tls::TlsMaterial;
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

/// Bound addresses that are not served yet.
pub(crate) struct Listeners {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    /// The address that the settings name, where it is taken and another one has its place.
    pub(crate) taken: Option<SocketAddr>,
    /// For clients with certificates.
    mutual: Option<(TcpListener, SocketAddr)>,
}

/// The running servers. They stop at once when dropped.
pub(crate) struct Servers {
    stop: Option<watch::Sender<()>>,
    serving: Vec<JoinHandle<()>>,
}

impl Listeners {
    pub(crate) async fn new(config: &IdpConfig) -> Result<Self, ConfigErrors> {
        let mut taken = None;
        let usual = match TcpListener::bind(config.listen).await {
            // For developers who run a second provider: the first free port will do.
            Err(error) if error.kind() == ErrorKind::AddrInUse && config.free_port_if_taken => {
                taken = Some(config.listen);
                bind("listen", SocketAddr::new(config.listen.ip(), 0)).await
            }
            Err(error) => Err(unusable("listen", config.listen, &error)),
            Ok(listener) => with_address("listen", listener, config.listen),
        };
        let (listener, address) = usual?;
        let mutual = match &config.tls {
            None => None,
            Some(tls) => {
                // The same host, so that one certificate serves both addresses.
                let beside = SocketAddr::new(config.listen.ip(), 0);
                Some(bind("tls.mtls_listen", tls.mtls_listen.unwrap_or(beside)).await?)
            }
        };
        Ok(Self {
            listener,
            address,
            taken,
            mutual,
        })
    }

    /// The address for clients with certificates.
    pub(crate) fn mutual_address(&self) -> Option<SocketAddr> {
        let (_, address) = self.mutual.as_ref()?;
        Some(*address)
    }

    pub(crate) fn serve(self, router: &Router, tls: Option<&TlsMaterial>) -> Servers {
        let (stop, stopped) = watch::channel(());
        let (usual, mutual) = match tls {
            Some(tls) => (Some(Arc::clone(&tls.server)), Some(Arc::clone(&tls.mutual))),
            None => (None, None),
        };
        let mut serving = vec![spawn(self.listener, usual, router, stopped.clone())];
        if let Some((listener, _)) = self.mutual {
            serving.push(spawn(listener, mutual, router, stopped));
        }
        Servers {
            stop: Some(stop),
            serving,
        }
    }
}

fn spawn(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: &Router,
    mut stopped: watch::Receiver<()>,
) -> JoinHandle<()> {
    let connections = Connections::new(listener, tls);
    let service = router
        .clone()
        .into_make_service_with_connect_info::<ConnectionPeer>();
    let stop = async move { _ = stopped.changed().await };
    let serve = axum::serve(connections, service).with_graceful_shutdown(stop);
    tokio::spawn(async move {
        // An accept error ends the server; a test that needs it sees its requests fail.
        _ = serve.await;
    })
}

impl Servers {
    /// Stops, and returns when the requests under way have been answered.
    pub(crate) async fn shutdown(&mut self) {
        // Closing the channel is the signal.
        drop(self.stop.take());
        for serving in self.serving.drain(..) {
            _ = serving.await;
        }
    }
}

/// Requests under way are cut off, so that a test can end without waiting for them.
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
