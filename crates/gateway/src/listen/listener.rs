//! Connections: accepted, counted, and served until they end or are drained.
//!
//! Connections are bounded in all and for each address. Beyond the bound of its address, a
//! connection is closed at once; beyond the bound of all, it waits to be accepted. `connection.rs`
//! serves it.

use crate::door::proxy::{self, Peer};
use crate::forward::body::Body;
use crate::forward::client_body::ClientBody;
use crate::listen::bounds::{Bounds, MOST_PROBES};
use crate::listen::connection::Connection;
use crate::listen::socket::{Socket, Stream};
use crate::listen::stall::ConnectionPlaces;
use crate::listen::tls::ServerTls;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::run::shared::Shared;
use crate::settings::LimitSettings;
use crate::telemetry::Telemetry;
use crate::telemetry::meters::Open;
use http::{HeaderMap, Request, Response};
use metrics::Counter;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How long to wait when no connection can be accepted, such as when there are no more file
/// descriptors.
const BREATH: Duration = Duration::from_millis(100);
/// All callers whose address is unknown are one, and it has the bounds of one.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Who answers the requests of a listener.
pub(crate) trait Door: Clone + Send + Sync + 'static {
    /// Whether its connections and requests count for the bounds of all doors.
    const BOUNDED: bool = true;

    /// The caller whose bound holds for a request; `None` for no bound.
    fn caller(&self, _peer: Peer, _headers: &HeaderMap) -> Option<IpAddr> {
        None
    }

    /// Whether this peer is a proxy that speaks for others, so that its connections have no bound
    /// of their own.
    fn speaks_for_others(&self, _peer: Peer) -> bool {
        false
    }

    /// Answers a request.
    fn answer(
        &self,
        peer: Peer,
        request: Request<ClientBody>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// Answers a request that is out of bounds.
    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        _request: &Request<ClientBody>,
    ) -> Response<Body> {
        refusal.into_response(request_id)
    }
}

/// What all connections of a listener share.
pub(crate) struct Listener<D> {
    pub(crate) socket: Socket,
    pub(crate) door: D,
    pub(crate) tls: Option<Arc<ServerTls>>,
    pub(crate) shares: Shares,
}

/// What all listeners share.
#[derive(Clone)]
pub(crate) struct Shares {
    pub(crate) limits: Arc<LimitSettings>,
    pub(crate) bounds: Arc<Bounds>,
    /// Places for connections. Probes have their own.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) telemetry: Arc<Telemetry>,
}

/// The reverse proxy as a door.
#[derive(Clone, Debug)]
pub(crate) struct Proxy(pub(crate) Arc<Shared>);

impl Door for Proxy {
    fn caller(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        Some(
            match self.0.generation().client_address.caller(peer, headers) {
                Caller::Direct(address) => address,
                // Loopback has no bound of its own, and is never what a proxy in front can mean.
                Caller::Named(address) if !address.to_canonical().is_loopback() => address,
                Caller::Named(_) | Caller::Unknown => UNKNOWN,
            },
        )
    }

    fn speaks_for_others(&self, peer: Peer) -> bool {
        self.0.generation().client_address.is_trusted(peer)
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        proxy::answer(&self.0.generation(), peer, request).await
    }
}

impl Shares {
    pub(crate) fn new(limits: LimitSettings, bounds: Bounds, telemetry: Arc<Telemetry>) -> Self {
        let places = Arc::new(Semaphore::new(bounds.connections));
        Self {
            limits: Arc::new(limits),
            bounds: Arc::new(bounds),
            places,
            telemetry,
        }
    }

    /// The same for probes, with connections of their own.
    pub(crate) fn for_probes(&self) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_PROBES)),
            ..self.clone()
        }
    }

    /// Counts answers that the client did not read.
    pub(crate) fn given_up(&self) -> Counter {
        self.telemetry.meters.bounds.readers.clone()
    }

    /// Counts connections that cancelled too many requests.
    pub(crate) fn abuses(&self) -> Counter {
        self.telemetry.meters.bounds.abuses.clone()
    }

    /// Counts a request that was out of bounds.
    pub(crate) fn count_refusal(&self, refusal: &Refusal) {
        let Telemetry {
            exposition, meters, ..
        } = &*self.telemetry;
        meters.bounds.refused(refusal);
        meters.answered(exposition, None, refusal.status(), Duration::ZERO);
    }
}

impl<D: Door> Listener<D> {
    /// Accepts until told to stop, then waits for requests under way, but not for ever.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self {
            socket,
            door,
            tls,
            shares,
        } = self;
        let (drain, draining) = watch::channel(());
        loop {
            let accepted = tokio::select! {
                accepted = accept(&socket, tls.is_some(), &shares.places) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Some((stream, peer, place)) = accepted else {
                continue;
            };
            let Some(held) = hold(&door, &shares, peer, place) else {
                continue;
            };
            let connection = Connection {
                door: door.clone(),
                tls: tls.clone(),
                shares: shares.clone(),
                peer,
                drain: draining.clone(),
            };
            tokio::spawn(connection.serve(stream, held));
        }
        drop((socket, draining));
        drain.send_replace(());
        if tokio::time::timeout(shares.limits.drain_timeout, drain.closed())
            .await
            .is_err()
        {
            tracing::warn!("requests were still under way when the time to drain was over");
        }
    }
}

/// Takes the places of a connection; `None` if its address has no more.
fn hold<D: Door>(
    door: &D,
    shares: &Shares,
    peer: Peer,
    place: OwnedSemaphorePermit,
) -> Option<ConnectionPlaces> {
    if !D::BOUNDED {
        return Some(ConnectionPlaces {
            _connection: place,
            _caller: None,
            _open: None,
        });
    }
    let meters = &shares.telemetry.meters;
    let caller = if peer.unix || door.speaks_for_others(peer) {
        None
    } else {
        let caller = shares.bounds.caller_connections.take(peer.address);
        if caller.is_none() {
            meters.bounds.caller_connections.increment(1);
        }
        Some(caller?)
    };
    Some(ConnectionPlaces {
        _connection: place,
        _caller: caller,
        _open: Some(Open::new(&meters.connections)),
    })
}

/// Whether the error is about one connection only, so that the next can be accepted at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// The next connection, once there is a place for it.
async fn accept(
    socket: &Socket,
    secure: bool,
    places: &Arc<Semaphore>,
) -> Option<(Stream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match socket.accept(secure).await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) if is_of_one_connection(&error) => None,
        Err(error) => {
            tracing::warn!(%error, "no connection could be accepted");
            tokio::time::sleep(BREATH).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::settings::Settings;
    use std::sync::atomic::Ordering;

    #[derive(Clone)]
    struct Nobody;

    impl Door for Nobody {
        fn speaks_for_others(&self, peer: Peer) -> bool {
            peer.address == IpAddr::from([192, 0, 2, 9])
        }

        async fn answer(&self, _peer: Peer, _request: Request<ClientBody>) -> Response<Body> {
            Response::new(Body::from(""))
        }
    }

    #[tokio::test]
    async fn an_address_has_so_many_connections_and_a_proxy_as_many_as_there_are() {
        let text = "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"a\"]\n[log]\naudit = \
            \"none\"\n\
                    [gateway]\nupstream = \"http://127.0.0.1:1\"\nlimits = { connections = 30 }\n";
        let settings: Settings = Config::from_toml(text).unwrap().try_into().unwrap();
        let limits = settings.listeners.limits.clone();
        let telemetry = Arc::new(Telemetry::new(&settings.listeners.log).unwrap());
        let (bounds, _) = Bounds::new(&limits, 1, 100_000);
        let shares = Shares::new(limits, bounds, Arc::clone(&telemetry));
        let connect = |address: &str| {
            let peer = Peer {
                address: address.parse().unwrap(),
                unix: false,
                secure: false,
            };
            hold(
                &Nobody,
                &shares,
                peer,
                Arc::clone(&shares.places).try_acquire_owned().unwrap(),
            )
        };
        let taken: Vec<_> = (0..3).map(|_| connect("2001:db8::1")).collect();
        assert!(taken.iter().all(Option::is_some) && connect("2001:db8::ffff:2").is_none());
        let others: Vec<_> = ["192.0.2.9", "127.0.0.1"]
            .into_iter()
            .flat_map(|it| (0..9).map(move |_| it))
            .map(connect)
            .collect();
        assert!(others.iter().all(Option::is_some));
        assert_eq!(telemetry.meters.connections.load(Ordering::Relaxed), 21);
        let text = telemetry.exposition.render(|_| {});
        assert!(
            text.contains("closed_connections_total{cause=\"caller\"} 1"),
            "{text}"
        );
        drop(taken);
        assert!(connect("2001:db8::ffff:2").is_some());
        assert_eq!(shares.places.available_permits(), 30 - 18);
    }
}
