//! The reverse proxy as a door: whom a request counts for, and how it is refused unread.

use super::cors::CorsMark;
use super::exchange::answer;
use super::interface::Door;
use crate::forward::body::Body;
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::request::peer::Peer;
use crate::transport::client_body::ClientBody;
use arc_swap::ArcSwap;
use http::{HeaderMap, Request, Response};
use portcullis_core::CodeLinks;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Stands for all callers whose address is unknown: together they have the bounds of one.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The reverse proxy as a door.
#[derive(Clone, Debug)]
pub(crate) struct Proxy(pub(crate) Arc<ArcSwap<Generation>>);

impl Door for Proxy {
    fn caller(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        let caller = self.0.load_full().client_address.caller(peer, headers);
        Some(match caller {
            Caller::Direct(address) => address,
            // Loopback has no bound, so a client that makes a proxy name it must not get there.
            Caller::Named(address) if !address.to_canonical().is_loopback() => address,
            Caller::Named(_) | Caller::Unknown => UNKNOWN,
        })
    }

    fn speaks_for_others(&self, peer: Peer) -> bool {
        self.0.load_full().client_address.is_trusted(peer)
    }

    fn code_links(&self) -> CodeLinks {
        self.0.load_full().policy.server.code_links().clone()
    }

    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        request: &Request<ClientBody>,
    ) -> Response<Body> {
        let generation = self.0.load_full();
        let links = generation.policy.server.code_links();
        let mut response = refusal.into_response(request_id, links);
        CorsMark::without_route(&generation, request.headers()).add(response.headers_mut());
        response
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        answer(&self.0.load_full(), peer, request).await
    }
}
