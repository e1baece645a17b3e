//! The interface between a listener and the doors that answer its requests.

use crate::forward::body::Body;
use crate::refusal::Refusal;
use crate::request::peer::Peer;
use crate::transport::client_body::ClientBody;
use http::{HeaderMap, Request, Response};
use portcullis_core::CodeLinks;
use std::net::IpAddr;
use std::pin::Pin;

/// Answers the requests of a listener.
pub(crate) trait Door: Send + Sync + 'static {
    // False for probes: a gateway at its bounds must not look dead.
    /// Whether its connections and requests count towards the bounds of all doors.
    const BOUNDED: bool = true;

    /// The caller whose bound a request counts towards; `None` for no bound.
    fn caller(&self, _peer: Peer, _headers: &HeaderMap) -> Option<IpAddr> {
        None
    }

    /// Whether this peer is a proxy that speaks for many clients, so that its connections have no
    /// bound of their own.
    fn speaks_for_others(&self, _peer: Peer) -> bool {
        false
    }

    /// Answers a request.
    fn answer(
        &self,
        peer: Peer,
        request: Request<ClientBody>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// The addresses of the pages that explain codes.
    fn code_links(&self) -> CodeLinks {
        CodeLinks::default()
    }

    /// Answers a request that is out of bounds.
    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        _request: &Request<ClientBody>,
    ) -> Response<Body> {
        refusal.into_response(request_id, &self.code_links())
    }
}

/// A door whose type a listener does not know: what serves connections, HTTP and TLS included, is
/// compiled once, and not for each door.
pub(crate) trait AnyDoor: Send + Sync {
    fn is_bounded(&self) -> bool;

    fn caller(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr>;

    fn speaks_for_others(&self, peer: Peer) -> bool;

    fn answer<'a>(
        &'a self,
        peer: Peer,
        request: Request<ClientBody>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + 'a>>;

    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        request: &Request<ClientBody>,
    ) -> Response<Body>;
}

impl<D: Door> AnyDoor for D {
    fn is_bounded(&self) -> bool {
        D::BOUNDED
    }

    fn caller(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        Door::caller(self, peer, headers)
    }

    fn speaks_for_others(&self, peer: Peer) -> bool {
        Door::speaks_for_others(self, peer)
    }

    fn answer<'a>(
        &'a self,
        peer: Peer,
        request: Request<ClientBody>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + 'a>> {
        Box::pin(Door::answer(self, peer, request))
    }

    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        request: &Request<ClientBody>,
    ) -> Response<Body> {
        Door::refuse(self, refusal, request_id, request)
    }
}
