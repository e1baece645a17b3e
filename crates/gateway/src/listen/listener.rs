//! Connections: accepted, counted, and served until they end or are drained.
//!
//! Connections are bounded in total and for each address. Beyond the bound of its address, a
//! connection is closed at once; beyond the total, it waits to be accepted. `connection.rs` serves
//! it.

use crate::door::interface::AnyDoor;
use crate::listen::connection::ClientConnection;
use crate::listen::context::ListenerContext;
use crate::listen::socket::{ClientStream, Socket};
use crate::listen::stall::ConnectionSlots;
use crate::request::peer::Peer;
use crate::telemetry::meters::ConnectionGuard;
use crate::transport::tls::ServerTls;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How long to wait when no connection can be accepted, for instance for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket, and the door that answers its requests.
pub(crate) struct Listener {
    pub(crate) socket: Socket,
    pub(crate) door: Arc<dyn AnyDoor>,
    pub(crate) tls: Option<Arc<ServerTls>>,
    pub(crate) context: ListenerContext,
}

impl Listener {
    /// Accepts until `stop`, then waits for requests under way, within a timeout.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self {
            socket,
            door,
            tls,
            context,
        } = self;
        let (drain, draining) = watch::channel(());
        loop {
            let accepted = tokio::select! {
                accepted = accept(&socket, tls.is_some(), &context.connection_slots) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Some((stream, peer, slot)) = accepted else {
                continue;
            };
            let Some(held) = hold(&*door, &context, peer, slot) else {
                continue;
            };
            let connection = ClientConnection {
                door: Arc::clone(&door),
                tls: tls.clone(),
                context: context.clone(),
                peer,
                drain: draining.clone(),
            };
            tokio::spawn(connection.serve(stream, held));
        }
        // The socket first: a replacement may bind it while requests still end here.
        drop((socket, draining));
        drain.send_replace(());
        // Each connection holds a receiver, so the channel closes with the last of them.
        let drained = tokio::time::timeout(context.limits.drain_timeout, drain.closed());
        if drained.await.is_err() {
            tracing::warn!("drain timeout reached with requests still in progress");
        }
    }
}

/// Takes the slots of a connection; `None` if its address has no more.
fn hold(
    door: &dyn AnyDoor,
    context: &ListenerContext,
    peer: Peer,
    slot: OwnedSemaphorePermit,
) -> Option<ConnectionSlots> {
    if !door.is_bounded() {
        return Some(ConnectionSlots {
            _connection: slot,
            _caller: None,
            _open: None,
        });
    }
    // A proxy in front would use up the bound of one address for all its clients.
    let meters = &context.telemetry.meters;
    let caller = if peer.unix || door.speaks_for_others(peer) {
        None
    } else {
        let caller = context.bounds.caller_connections.take(peer.address);
        if caller.is_none() {
            meters.bounds.caller_connections.increment(1);
        }
        Some(caller?)
    };
    Some(ConnectionSlots {
        _connection: slot,
        _caller: caller,
        _open: Some(ConnectionGuard::new(&meters.connections)),
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

/// Accepts the next connection, once there is a slot for it.
async fn accept(
    socket: &Socket,
    secure: bool,
    slots: &Arc<Semaphore>,
) -> Option<(ClientStream, Peer, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match socket.accept(secure).await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) if is_of_one_connection(&error) => None,
        Err(error) => {
            // Without descriptors `accept` fails at once: the pause keeps this from spinning.
            tracing::warn!(%error, "cannot accept connections");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::door::interface::Door;
    use crate::forward::body::Body;
    use crate::listen::bounds::Bounds;
    use crate::settings::Settings;
    use crate::telemetry::Telemetry;
    use crate::transport::client_body::ClientBody;
    use http::{Request, Response};
    use std::net::IpAddr;
    use std::sync::atomic::Ordering;

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
    async fn an_address_has_a_bound_on_connections_and_a_trusted_proxy_has_none() {
        let text = "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"a\"]\n[log]\naudit = \
            \"none\"\n\
                    [gateway]\nupstream = \"http://127.0.0.1:1\"\nlimits = { connections = 30 }\n";
        let settings: Settings = Config::from_toml(text).unwrap().try_into().unwrap();
        let limits = settings.listeners.limits.clone();
        let telemetry = Arc::new(Telemetry::new(&settings.listeners.log).unwrap());
        let (bounds, _) = Bounds::new(&limits, 1, 100_000);
        let context = ListenerContext::new(limits, bounds, Arc::clone(&telemetry));
        let connect = |address: &str| {
            let peer = Peer {
                address: address.parse().unwrap(),
                unix: false,
                secure: false,
                certificate: None,
            };
            hold(
                &Nobody,
                &context,
                peer,
                Arc::clone(&context.connection_slots)
                    .try_acquire_owned()
                    .unwrap(),
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
        assert_eq!(context.connection_slots.available_permits(), 30 - 18);
    }
}
