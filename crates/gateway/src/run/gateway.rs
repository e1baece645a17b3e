//! The running gateway: bound, served, reloaded, stopped.

use crate::door::ext_authz::ExtAuthz;
use crate::door::forward_auth::ForwardAuth;
use crate::door::interface::Door;
use crate::door::proxy::Proxy;
use crate::door::redirect::Redirect;
use crate::generation::Generation;
use crate::listen::bounds::{Bounds, raise_descriptors};
use crate::listen::listener::Listener;
use crate::listen::shares::Shares;
use crate::listen::socket::Socket;
use crate::run::admin::Admin;
use crate::run::shared::Shared;
use crate::settings::{Address, DoorSettings, Settings};
use crate::telemetry::{Telemetry, events};
use crate::transport::life::Life;
use crate::transport::tls::ServerTls;
use arc_swap::ArcSwap;
use portcullis_core::ConfigErrors;
use portcullis_resource_server::ResourceServer;
use portcullis_resource_server::clock::{Clock, SystemClock};
use sd_notify::NotifyState;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

/// How long new settings wait for the keys of their issuers.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway whose sockets are open. Nothing is answered before [`run`](Self::run).
pub struct Gateway {
    shared: Arc<Shared>,
    proxy: Option<Open>,
    forward_auth: Option<Open>,
    ext_authz: Option<Open>,
    admin: Option<Socket>,
    redirect: Option<Socket>,
    stop: watch::Sender<bool>,
}

/// The open socket of a door, and its TLS.
#[derive(Debug)]
struct Open {
    socket: Socket,
    tls: Option<Arc<ServerTls>>,
}

/// A hold on a gateway that runs.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

impl Gateway {
    /// Opens the sockets, and begins to fetch keys. Needs a Tokio runtime.
    ///
    /// The soft limit of open files is raised to the hard one: a connection and a request under way
    /// take one each.
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
    pub async fn bind_with_clock(
        mut settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigErrors> {
        let listeners = settings.listeners.clone();
        let proxy_tls = listeners
            .tls
            .clone()
            .map(ServerTls::read)
            .transpose()?
            .map(Arc::new);
        let proxy = match listeners.listen {
            Some(address) => Some(inherited_or_open(address).await?),
            None => None,
        };
        let forward_auth =
            Open::door("forward_auth.listen", listeners.forward_auth.as_ref()).await?;
        let ext_authz = Open::door("ext_authz.listen", listeners.ext_authz.as_ref()).await?;
        let admin = open("gateway.admin.listen", listeners.admin).await?;
        let redirect = listeners.tls.as_ref().and_then(|tls| tls.redirect);
        let redirect = open("gateway.tls.redirect", redirect).await?;
        let (stop, stopping) = watch::channel(false);
        let life = Life::new(stopping);
        let telemetry = Arc::new(Telemetry::new(&listeners.log)?);
        let bounds = bounds(&mut settings);
        let shares = Shares::new(listeners.limits.clone(), bounds, Arc::clone(&telemetry));
        let generation = Generation::new(settings, &clock, &life, &telemetry, None)?;
        life.decides_by(generation.policy.server.clone());
        let generation = Arc::new(ArcSwap::from_pointee(generation));
        let proxy = proxy.map(|socket| Open {
            socket,
            tls: proxy_tls,
        });
        let tls = [&proxy, &forward_auth, &ext_authz].into_iter().flatten();
        let tls = tls.filter_map(|open| open.tls.clone()).collect();
        let reloading = Mutex::default();
        let shared = Arc::new(Shared {
            generation,
            listeners,
            tls,
            clock,
            life,
            reloading,
            telemetry,
            shares,
        });
        Ok(Self {
            shared,
            proxy,
            forward_auth,
            ext_authz,
            admin,
            redirect,
            stop,
        })
    }

    /// Where the reverse proxy takes requests; `None` where there is no proxy.
    pub fn address(&self) -> Option<SocketAddr> {
        self.proxy.as_ref()?.socket.address()
    }

    /// Where nginx, Traefik or Caddy ask; `None` where nobody does, or over a Unix socket.
    pub fn forward_auth_address(&self) -> Option<SocketAddr> {
        self.forward_auth.as_ref()?.socket.address()
    }

    /// Where Envoy asks; `None` where nobody does, or over a Unix socket.
    pub fn ext_authz_address(&self) -> Option<SocketAddr> {
        self.ext_authz.as_ref()?.socket.address()
    }

    /// Where probes come in, if anywhere.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.address()
    }

    /// Where plain HTTP is redirected, if anywhere.
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.redirect.as_ref()?.address()
    }

    /// A hold on it, for reloads.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Answers requests until `stop`, then lets those under way end. The probes go on meanwhile.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (drained, probes_stop) = watch::channel(false);
        let probes = self.admin.map(|socket| {
            let shares = self.shared.shares.for_probes();
            let door = Admin(Arc::clone(&self.shared));
            let listener = Listener {
                socket,
                door,
                tls: None,
                shares,
            };
            tokio::spawn(listener.serve(probes_stop))
        });
        let doors = Doors {
            shared: &self.shared,
            stop: &self.stop,
        };
        let port = self
            .proxy
            .as_ref()
            .and_then(|open| open.socket.address())
            .map_or(443, |it| it.port());
        let generation = || Arc::clone(&self.shared.generation);
        let serving = [
            doors.serve(self.proxy, Proxy(generation())),
            doors.serve(self.forward_auth, ForwardAuth(generation())),
            doors.serve(self.ext_authz, ExtAuthz(generation())),
            doors.serve(
                self.redirect.map(|socket| Open { socket, tls: None }),
                Redirect {
                    generation: generation(),
                    port,
                },
            ),
        ];
        supervisor(&[NotifyState::Ready]);
        stop.await;
        tracing::info!("stopping: no new connections, those under way may end");
        supervisor(&[NotifyState::Stopping]);
        self.stop.send_replace(true);
        for door in serving.into_iter().flatten() {
            // A task that panicked has said so; there is nothing left to wait for then.
            _ = door.await;
        }
        self.shared.life.over().await;
        if let Some(audit) = &self.shared.telemetry.audit {
            audit.flush().await;
        }
        drained.send_replace(true);
        if let Some(probes) = probes {
            probes.abort();
        }
    }
}

/// What all doors have in common.
struct Doors<'g> {
    shared: &'g Arc<Shared>,
    stop: &'g watch::Sender<bool>,
}

impl Doors<'_> {
    /// Begins to answer, where there is a socket.
    fn serve<D: Door>(&self, open: Option<Open>, door: D) -> Option<JoinHandle<()>> {
        open.map(|open| {
            tokio::spawn(
                open.listener(door, self.shared)
                    .serve(self.stop.subscribe()),
            )
        })
    }
}

impl Open {
    async fn door(
        place: &str,
        settings: Option<&DoorSettings>,
    ) -> Result<Option<Self>, ConfigErrors> {
        let Some(DoorSettings { listen, tls }) = settings else {
            return Ok(None);
        };
        let tls = tls.clone().map(ServerTls::read).transpose()?.map(Arc::new);
        Ok(Some(Self {
            socket: Socket::open(place, listen).await?,
            tls,
        }))
    }

    fn listener<D: Door>(self, door: D, shared: &Shared) -> Listener<D> {
        Listener {
            socket: self.socket,
            door,
            tls: self.tls,
            shares: shared.shares.clone(),
        }
    }
}

/// What may go on at a time: as written, or less where there are too few descriptors for it.
fn bounds(settings: &mut Settings) -> Bounds {
    let servers = settings.upstreams.iter().map(|it| it.servers.len()).sum();
    let limits = &settings.listeners.limits;
    let (bounds, shortage) = Bounds::new(limits, servers, raise_descriptors());
    if let Some(shortage) = shortage {
        tracing::warn!(
            facts = %shortage,
            "there are too few descriptors for the bounds in the settings",
        );
    }
    bounds.bound(settings);
    bounds
}

/// The socket of the proxy: one that systemd opened, or a new one.
async fn inherited_or_open(address: SocketAddr) -> Result<Socket, ConfigErrors> {
    match Socket::inherited()? {
        Some(socket) => Ok(socket),
        None => Socket::open("gateway.listen", &Address::Tcp(address)).await,
    }
}

async fn open(place: &str, address: Option<SocketAddr>) -> Result<Option<Socket>, ConfigErrors> {
    match address {
        Some(address) => Socket::open(place, &Address::Tcp(address)).await.map(Some),
        None => Ok(None),
    }
}

impl Handle {
    /// Takes other settings into use, all at once: requests under way go on with the ones they
    /// began with. Where the issuers change, their keys are waited for first, ten seconds at most.
    ///
    /// What belongs to the sockets stays as it was until the next start: addresses, limits of heads
    /// and connections, and which files TLS reads.
    ///
    /// # Errors
    ///
    /// What is wrong with upstreams; then nothing is changed.
    pub async fn reload(&self, mut settings: Settings) -> Result<(), ConfigErrors> {
        let _one_at_a_time = self.0.reloading.lock().await;
        if settings.listeners != self.0.listeners {
            tracing::warn!("addresses, limits and TLS settings change with the next start only");
        }
        self.0.shares.bounds.bound(&mut settings);
        let before = self.0.generation();
        let Shared {
            clock,
            life,
            telemetry,
            ..
        } = &*self.0;
        let next = Generation::new(settings, clock, life, telemetry, Some(&before))?;
        next.ready(PATIENCE).await;
        life.decides_by(next.policy.server.clone());
        self.0.generation.store(Arc::new(next));
        Ok(())
    }

    /// Reads the files of TLS again; those that cannot be used change nothing.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn reload_certificates(&self) -> Result<(), ConfigErrors> {
        let faults = self
            .0
            .tls
            .iter()
            .filter_map(|tls| tls.reload().err())
            .collect();
        ConfigErrors::check(faults)
    }

    /// Whether there are keys of every issuer.
    pub fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    /// The resource server that decides at the moment: for its status, and to revoke.
    pub fn resource_server(&self) -> ResourceServer {
        self.0.generation().policy.server.clone()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// All figures, in the text format of Prometheus.
    pub(crate) fn metrics(&self) -> String {
        self.telemetry.exposition.render(|recorder| {
            self.generation().record(recorder);
            self.telemetry.meters.record(recorder);
            self.shares.bounds.record(recorder);
            events::READY.set(recorder, &[], f64::from(u8::from(self.is_ready())));
            // Of several doors, the certificate that ends first.
            if let Some(expiry) = self.tls().iter().filter_map(|tls| tls.expiry()).min() {
                events::CERTIFICATE_EXPIRY.set(recorder, &[], expiry as f64);
            }
        })
    }

    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    pub(crate) fn tls(&self) -> &[Arc<ServerTls>] {
        &self.tls
    }
}

/// Tells systemd, where it asked to be told (`Type=notify`).
pub(crate) fn supervisor(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("proxy", &self.proxy)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}
