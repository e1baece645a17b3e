//! Connections: accepted, counted, and served until they end or are drained.
//!
//! Connections are bounded in all and for each address. Beyond the bound of its address, a
//! connection is closed at once; beyond the bound of all, it waits to be accepted. `connection.rs`
//! serves it.

use crate::door::interface::Door;
use crate::listen::connection::Connection;
use crate::listen::shares::Shares;
use crate::listen::socket::{Socket, Stream};
use crate::listen::stall::ConnectionPlaces;
use crate::request::peer::Peer;
use crate::telemetry::meters::Open;
use crate::transport::tls::ServerTls;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How long to wait when no connection can be accepted, such as when there are no more file
/// descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// What all connections of a listener share.
pub(crate) struct Listener<D> {
    pub(crate) socket: Socket,
    pub(crate) door: D,
    pub(crate) tls: Option<Arc<ServerTls>>,
    pub(crate) shares: Shares,
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
    use crate::forward::body::Body;
    use crate::listen::bounds::Bounds;
    use crate::settings::Settings;
    use crate::telemetry::Telemetry;
    use crate::transport::client_body::ClientBody;
    use http::{Request, Response};
    use std::net::IpAddr;
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
