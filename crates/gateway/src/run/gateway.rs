//! The gateway from bind to stop: opens its sockets, serves its doors, and drains them.

use crate::door::ext_authz::ExtAuthz;
use crate::door::forward_auth::ForwardAuth;
use crate::door::interface::Door;
use crate::door::proxy::Proxy;
use crate::door::receivers::Receivers;
use crate::door::redirect::Redirect;
use crate::generation::Generation;
use crate::listen::bounds::{Bounds, raise_descriptors};
use crate::listen::context::ListenerContext;
use crate::listen::listener::Listener;
use crate::listen::socket::Socket;
use crate::run::admin::Admin;
use crate::run::door_socket::DoorSocket;
use crate::run::state::GatewayState;
use crate::settings::{Address, Settings};
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
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

// Enough for a slow issuer, and short enough for an operator who waits for a reload.
/// How long new settings wait for the keys of their issuers.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway whose sockets are open. It answers nothing before [`run`](Self::run).
pub struct Gateway {
    state: Arc<GatewayState>,
    proxy: Option<DoorSocket>,
    forward_auth: Option<DoorSocket>,
    ext_authz: Option<DoorSocket>,
    receivers: Option<DoorSocket>,
    admin: Option<Socket>,
    redirect: Option<Socket>,
    stop: watch::Sender<bool>,
}

/// A handle to a running gateway.
#[derive(Clone, Debug)]
pub struct Handle(Arc<GatewayState>);

impl Gateway {
    /// Opens the sockets, and begins to fetch keys. Needs a Tokio runtime.
    ///
    /// The soft limit of open files is raised to the hard one: a connection and a request under way
    /// take one each.
    ///
    /// # Errors
    ///
    /// Returns certificates that cannot be used and addresses that cannot be listened on.
    pub async fn bind(settings: Settings) -> Result<Self, ConfigErrors> {
        Self::bind_with_clock(settings, Arc::new(SystemClock::new())).await
    }

    /// As [`bind`](Self::bind), with another clock for tokens and for the end of streams.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub async fn bind_with_clock(
        mut settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigErrors> {
        let listeners = settings.listeners.clone();
        let proxy = DoorSocket::open_proxy(&listeners).await?;
        let forward_auth =
            DoorSocket::open("forward_auth.listen", listeners.forward_auth.as_ref()).await?;
        let ext_authz = DoorSocket::open("ext_authz.listen", listeners.ext_authz.as_ref()).await?;
        let receivers = DoorSocket::open("receivers.listen", listeners.receivers.as_ref()).await?;
        let admin = open("gateway.admin.listen", listeners.admin).await?;
        let redirect = match &listeners.tls {
            Some(tls) => open("gateway.tls.redirect", tls.redirect).await?,
            None => None,
        };
        let (stop, stopping) = watch::channel(false);
        let life = Life::new(stopping);
        let telemetry = Arc::new(Telemetry::new(&listeners.log)?);
        let bounds = fit_bounds(&mut settings);
        let limits = listeners.limits.clone();
        let context = ListenerContext::new(limits, bounds, Arc::clone(&telemetry));
        let generation = Generation::new(settings, &clock, &life, &telemetry, None)?;
        life.set_server(generation.policy.server.clone());
        let doors = [&proxy, &forward_auth, &ext_authz, &receivers];
        let doors = doors.into_iter().flatten();
        let tls = doors.filter_map(|door| door.tls.clone()).collect();
        let state = Arc::new(GatewayState {
            generation: Arc::new(ArcSwap::from_pointee(generation)),
            listeners,
            tls,
            clock,
            life,
            leaving: AtomicBool::new(false),
            reloading: Mutex::default(),
            telemetry,
            context,
        });
        state.warn_of_expiry();
        Ok(Self {
            state,
            proxy,
            forward_auth,
            ext_authz,
            receivers,
            admin,
            redirect,
            stop,
        })
    }

    /// The address of the reverse proxy; `None` if there is no proxy.
    pub fn address(&self) -> Option<SocketAddr> {
        self.proxy.as_ref()?.socket.address()
    }

    /// The address that nginx, Traefik or Caddy ask; `None` without that door, or on a Unix socket.
    pub fn forward_auth_address(&self) -> Option<SocketAddr> {
        self.forward_auth.as_ref()?.socket.address()
    }

    /// The address that Envoy asks; `None` without that door, or on a Unix socket.
    pub fn ext_authz_address(&self) -> Option<SocketAddr> {
        self.ext_authz.as_ref()?.socket.address()
    }

    /// The address that providers send logouts and events to; `None` where the proxy takes them, or
    /// on a Unix socket.
    pub fn receivers_address(&self) -> Option<SocketAddr> {
        self.receivers.as_ref()?.socket.address()
    }

    /// The address for probes and metrics, if there is one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.address()
    }

    /// The address where plain HTTP is redirected, if there is one.
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.redirect.as_ref()?.address()
    }

    /// A handle, for reloads.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.state))
    }

    /// Answers requests until `stop`, and for `gateway.timeouts.stop_delay` after it; then finishes
    /// those under way. Probes are answered meanwhile.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let serving = self.serve();
        notify_systemd(&[NotifyState::Ready]);
        stop.await;
        notify_systemd(&[NotifyState::Stopping]);
        serving.finish().await;
    }

    /// Begins to serve every door.
    ///
    /// This function is not generic, so all that answers requests is compiled with this crate and
    /// as this crate is: once, and not again in every program that calls `run`.
    fn serve(self) -> ServingGateway {
        let Self {
            state,
            proxy,
            forward_auth,
            ext_authz,
            receivers,
            admin,
            redirect,
            stop,
        } = self;
        // Clients are sent to the port of the proxy; behind a Unix socket to the usual one.
        let https = proxy.as_ref().and_then(|proxy| proxy.socket.address());
        let port = https.map_or(443, |address| address.port());
        let redirect = redirect.map(|socket| DoorSocket { socket, tls: None });
        let generation = || Arc::clone(&state.generation);
        let redirect_door = Redirect {
            generation: generation(),
            port,
        };
        let (stop_probes, stopping_probes) = watch::channel(false);
        let probes = serve_probes(admin, &state, stopping_probes);
        let (common, stopping) = (&state.context, stop.subscribe());
        let doors = [
            serve(proxy, Proxy(generation()), common, &stopping),
            serve(forward_auth, ForwardAuth(generation()), common, &stopping),
            serve(ext_authz, ExtAuthz(generation()), common, &stopping),
            serve(receivers, Receivers(generation()), common, &stopping),
            serve(redirect, redirect_door, common, &stopping),
        ];
        ServingGateway {
            state,
            doors,
            probes,
            stop,
            stop_probes,
        }
    }
}

/// A gateway whose doors are open.
struct ServingGateway {
    state: Arc<GatewayState>,
    doors: [Option<JoinHandle<()>>; 5],
    probes: Option<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    stop_probes: watch::Sender<bool>,
}

impl ServingGateway {
    /// Closes the doors when clients have noticed, and waits for requests under way.
    async fn finish(self) {
        self.state.leave().await;
        tracing::info!("stopping: draining connections, accepting no new ones");
        self.stop.send_replace(true);
        for door in self.doors.into_iter().flatten() {
            // A panic was reported already, and leaves nothing to wait for.
            _ = door.await;
        }
        self.state.life.finish().await;
        // After the last request, so that no record comes after the flush.
        if let Some(audit) = &self.state.telemetry.audit {
            audit.flush().await;
        }
        self.stop_probes.send_replace(true);
        if let Some(probes) = self.probes {
            probes.abort();
        }
    }
}

/// Begins to serve a door, if it has a socket.
fn serve<D: Door>(
    socket: Option<DoorSocket>,
    door: D,
    context: &ListenerContext,
    stopping: &watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    let DoorSocket { socket, tls } = socket?;
    let listener = Listener {
        socket,
        door: Arc::new(door),
        tls,
        context: context.clone(),
    };
    Some(tokio::spawn(listener.serve(stopping.clone())))
}

/// Begins to serve probes and metrics. They stop last: a supervisor watches the drain by them.
fn serve_probes(
    socket: Option<Socket>,
    state: &Arc<GatewayState>,
    stopping: watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    let listener = Listener {
        socket: socket?,
        door: Arc::new(Admin(Arc::clone(state))),
        tls: None,
        context: state.context.for_probes(),
    };
    Some(tokio::spawn(listener.serve(stopping)))
}

/// The bounds as written, or lower if there are too few descriptors for them.
fn fit_bounds(settings: &mut Settings) -> Bounds {
    let (limits, servers) = (&settings.listeners.limits, settings.count_servers());
    let (bounds, shortage) = Bounds::new(limits, servers, raise_descriptors());
    if let Some(shortage) = shortage {
        tracing::warn!(
            facts = %shortage,
            "too few file descriptors for the limits in the settings",
        );
    }
    bounds.bound_upstreams(settings);
    bounds
}

async fn open(place: &str, address: Option<SocketAddr>) -> Result<Option<Socket>, ConfigErrors> {
    match address {
        Some(address) => Socket::open(place, &Address::Tcp(address))
            .await
            .map(Some),
        None => Ok(None),
    }
}

impl Handle {
    /// Takes other settings into use, all at once: requests under way go on with the ones they
    /// began with. If the issuers change, it waits for their keys first, ten seconds at most.
    ///
    /// Settings of the sockets apply from the next start: addresses, limits on heads and
    /// connections, and which files TLS reads.
    ///
    /// # Errors
    ///
    /// Returns faults of upstreams; then nothing is changed.
    pub async fn reload(&self, mut settings: Settings) -> Result<(), ConfigErrors> {
        // Otherwise an older reload that waits for keys could overwrite a newer one.
        let _one_at_a_time = self.0.reloading.lock().await;
        if settings.listeners != self.0.listeners {
            tracing::warn!("new addresses, limits and TLS settings apply only after a restart");
        }
        self.0.context.bounds.bound_upstreams(&mut settings);
        let before = self.0.generation();
        let GatewayState {
            clock,
            life,
            telemetry,
            ..
        } = &*self.0;
        let next = Generation::new(settings, clock, life, telemetry, Some(&before))?;
        // Swapped only now: until its keys are there, the old settings decide better.
        next.wait_until_ready(PATIENCE).await;
        life.set_server(next.policy.server.clone());
        self.0.generation.store(Arc::new(next));
        Ok(())
    }

    /// Reads the TLS files again; those that cannot be used change nothing.
    ///
    /// # Errors
    ///
    /// Returns their faults.
    pub fn reload_certificates(&self) -> Result<(), ConfigErrors> {
        let mut faults = Vec::new();
        // Each by itself: one bad file must not keep the other doors on expired certificates.
        for tls in &self.0.tls {
            faults.extend(tls.reload().err());
        }
        self.0.warn_of_expiry();
        ConfigErrors::check(faults)
    }

    /// Whether everything is there that decisions need, and the gateway is not stopping.
    pub fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    /// The resource server of the settings in use: for its status, and to revoke.
    pub fn resource_server(&self) -> ResourceServer {
        self.0.generation().policy.server.clone()
    }

    pub(crate) fn state(&self) -> &GatewayState {
        &self.0
    }
}

impl GatewayState {
    /// All metrics, in the text format of Prometheus.
    pub(crate) fn metrics(&self) -> String {
        self.telemetry.exposition.render(|recorder| {
            self.generation().record(recorder);
            self.telemetry.meters.record(recorder);
            self.context.bounds.record(recorder);
            events::READY.set(recorder, &[], f64::from(u8::from(self.is_ready())));
            // One gauge for all doors: an alert is for the certificate that expires first.
            if let Some(expiry) = self.tls.iter().filter_map(|tls| tls.expiry()).min() {
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

/// Notifies systemd, if it asked for that (`Type=notify`).
pub(crate) fn notify_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "cannot notify systemd");
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
