//! The door for plain HTTP beside HTTPS: it redirects every request to HTTPS, and forwards nothing.

use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::generation::Generation;
use crate::request::peer::Peer;
use crate::request::target::Target;
use crate::transport::client_body::ClientBody;
use arc_swap::ArcSwap;
use http::header::LOCATION;
use http::{HeaderValue, Request, Response, StatusCode};
use portcullis_core::CodeLinks;
use portcullis_resource_server::request_id;
use std::sync::Arc;

/// The door that redirects to HTTPS.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub(crate) generation: Arc<ArcSwap<Generation>>,
    /// The port of HTTPS.
    pub(crate) port: u16,
}

impl Door for Redirect {
    fn code_links(&self) -> CodeLinks {
        self.generation
            .load_full()
            .policy
            .server
            .code_links()
            .clone()
    }

    /// Redirects a request. A token that came over plain HTTP may have been seen, so nothing is
    /// decided here. The status 308 keeps method and body (RFC 9110, section 15.4.9).
    async fn answer(&self, _peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        let (parts, _) = request.into_parts();
        let request_id = request_id(&parts.headers);
        // With `hosts` in the settings, a forged `Host` cannot choose where the redirect leads.
        let generation = self.generation.load_full();
        let links = generation.policy.server.code_links();
        let target = match Target::read(&parts, &generation.hosts) {
            Ok(target) => target,
            Err(refusal) => return refusal.into_response(&request_id, links),
        };
        let path = match target.path_and_query() {
            Ok(path) => path,
            Err(refusal) => return refusal.into_response(&request_id, links),
        };
        let port = if self.port == 443 {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        // The port of the request is the one of plain HTTP, so it is left out here.
        let location = format!("https://{}{port}{path}", target.host.name());
        let mut response = Response::new(Body::from(""));
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        if let Ok(location) = HeaderValue::try_from(location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}
