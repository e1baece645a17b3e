//! The running gateway: bound, served, reloaded, stopped.

use crate::admin::Admin;
use crate::life::Life;
use crate::listener::{Listener, Proxy};
use crate::redirect::Redirect;
use crate::running::Running;
use crate::settings::{ListenerSettings, Settings};
use crate::tls::ServerTls;
use arc_swap::ArcSwap;
use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::ResourceServer;
use portcullis_resource_server::clock::{Clock, SystemClock};
use sd_notify::NotifyState;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};

/// How long new settings wait for the keys of their issuers.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway whose sockets are open. Nothing is answered before [`run`](Self::run).
pub struct Gateway {
    shared: Arc<Shared>,
    proxy: TcpListener,
    admin: Option<TcpListener>,
    redirect: Option<TcpListener>,
    stop: watch::Sender<bool>,
}

/// What requests, reloads and probes share.
pub(crate) struct Shared {
    running: ArcSwap<Running>,
    listeners: ListenerSettings,
    tls: Option<Arc<ServerTls>>,
    clock: Arc<dyn Clock>,
    life: Life,
    reloading: Mutex<()>,
}

/// A hold on a gateway that runs.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

impl Gateway {
    /// Opens the sockets, and begins to fetch keys. Needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// Certificates that cannot be used, addresses that cannot be listened on.
    pub async fn bind(settings: Settings) -> Result<Self, ConfigErrors> {
        Self::bind_with_clock(settings, Arc::new(SystemClock::new())).await
    }

    /// As [`bind`](Self::bind), with another clock for tokens and for the ends of streams.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub async fn bind_with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, ConfigErrors> {
        let listeners = settings.listeners.clone();
        let tls = listeners.tls.clone().map(ServerTls::read).transpose()?.map(Arc::new);
        let proxy = match inherited()? {
            Some(socket) => socket,
            None => listen("gateway.listen", listeners.listen).await?,
        };
        let admin = match listeners.admin {
            Some(address) => Some(listen("gateway.admin.listen", address).await?),
            None => None,
        };
        let redirect = match listeners.tls.as_ref().and_then(|tls| tls.redirect) {
            Some(address) => Some(listen("gateway.tls.redirect", address).await?),
            None => None,
        };
        let (stop, stopping) = watch::channel(false);
        let life = Life::new(stopping);
        let running = ArcSwap::from_pointee(Running::new(settings, &clock, &life, None)?);
        let shared = Arc::new(Shared { running, listeners, tls, clock, life, reloading: Mutex::default() });
        Ok(Self { shared, proxy, admin, redirect, stop })
    }

    /// Where requests come in.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.proxy.local_addr()
    }

    /// Where probes come in, if anywhere.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }

    /// Where plain HTTP is redirected, if anywhere.
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.redirect.as_ref()?.local_addr().ok()
    }

    /// A hold on it, for reloads.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Answers requests until `stop`, then lets those under way end. The probes go on meanwhile.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { shared, proxy, admin, redirect, stop: stopping } = self;
        let settings = shared.listeners.clone();
        let (drained, probes_stop) = watch::channel(false);
        let probes = admin.map(|socket| {
            let door = Admin(Arc::clone(&shared));
            tokio::spawn(Listener { socket, door, tls: None, settings: settings.clone() }.serve(probes_stop))
        });
        let redirects = redirect.map(|socket| {
            let door = Redirect { shared: Arc::clone(&shared), port: port_of(&proxy) };
            let listener = Listener { socket, door, tls: None, settings: settings.clone() };
            tokio::spawn(listener.serve(stopping.subscribe()))
        });
        let listener =
            Listener { socket: proxy, door: Proxy(Arc::clone(&shared)), tls: shared.tls.clone(), settings };
        let serving = tokio::spawn(listener.serve(stopping.subscribe()));
        supervisor(&[NotifyState::Ready]);
        stop.await;
        tracing::info!("stopping: no new connections, those under way may end");
        supervisor(&[NotifyState::Stopping]);
        stopping.send_replace(true);
        // A task that panicked has said so; there is nothing left to wait for then.
        _ = serving.await;
        if let Some(redirects) = redirects {
            _ = redirects.await;
        }
        shared.life.over().await;
        drained.send_replace(true);
        if let Some(probes) = probes {
            probes.abort();
        }
    }
}

impl Shared {
    pub(crate) fn running(&self) -> Arc<Running> {
        self.running.load_full()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.life.is_stopping()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.running().policy.server.is_ready() && !self.is_stopping()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

impl Handle {
    /// Takes other settings into use, all at once: requests under way go on with the ones they began with. Where the
    /// issuers change, their keys are waited for first, ten seconds at most.
    ///
    /// What belongs to the sockets stays as it was until the next start: addresses, limits of heads and
    /// connections, and which files TLS reads.
    ///
    /// # Errors
    ///
    /// What is wrong with upstreams; then nothing is changed.
    pub async fn reload(&self, settings: Settings) -> Result<(), ConfigErrors> {
        let _one_at_a_time = self.0.reloading.lock().await;
        if settings.listeners != self.0.listeners {
            tracing::warn!("addresses, limits and TLS settings change with the next start only");
        }
        let before = self.0.running();
        let next = Running::new(settings, &self.0.clock, &self.0.life, Some(&before))?;
        next.ready(PATIENCE).await;
        self.0.running.store(Arc::new(next));
        Ok(())
    }

    /// Reads the files of TLS again; those that cannot be used change nothing.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn reload_certificates(&self) -> Result<(), ConfigErrors> {
        Ok(self.0.tls.as_ref().map_or(Ok(()), |tls| tls.reload())?)
    }

    /// Whether there are keys of every issuer.
    pub fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    /// The resource server that decides at the moment: for its status, and to revoke.
    pub fn resource_server(&self) -> ResourceServer {
        self.0.running().policy.server.clone()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    pub(crate) fn tls(&self) -> Option<&ServerTls> {
        self.tls.as_deref()
    }
}

/// Tells systemd, where it asked to be told (`Type=notify`).
pub(crate) fn supervisor(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}

/// The socket that systemd hands over (`sd_listen_fds`), if it does.
fn inherited() -> Result<Option<TcpListener>, ConfigErrors> {
    let fault = |error: io::Error| {
        let cure = "see the `.socket` unit: one stream socket with `ListenStream`";
        ConfigErrors::from(ConfigError::new("LISTEN_FDS", format!("a TCP socket ({error})"), cure))
    };
    let Some(socket) = listenfd::ListenFd::from_env().take_tcp_listener(0).map_err(fault)? else {
        return Ok(None);
    };
    socket.set_nonblocking(true).map_err(fault)?;
    TcpListener::from_std(socket).map(Some).map_err(fault)
}

async fn listen(place: &str, address: SocketAddr) -> Result<TcpListener, ConfigErrors> {
    TcpListener::bind(address).await.map_err(|error| {
        let cure = "choose another port, or stop who listens there";
        ConfigError::new(place, format!("an address to listen on: {address} ({error})"), cure).into()
    })
}

fn port_of(socket: &TcpListener) -> u16 {
    socket.local_addr().map_or(443, |address| address.port())
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("proxy", &self.proxy)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("running", &self.running).finish_non_exhaustive()
    }
}
