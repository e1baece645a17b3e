//! A request that is asked about, read as the listener of the proxy reads one.

use crate::refusal::Refusal;
use crate::request::host::HostPattern;
use crate::request::peer::Peer;
use crate::request::target::Target;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri};
use portcullis_core::proof::Thumbprint;
use std::net::{IpAddr, Ipv4Addr};

/// A request that is asked about, as a client would send it over HTTP/1.1.
#[derive(Clone, Debug)]
pub struct TrialRequest {
    method: String,
    target: String,
    headers: HeaderMap,
    peer: Peer,
}

impl TrialRequest {
    /// A request with this method, this target (`/orders/7?page=2`) and these headers, of which one
    /// should be `Host`. It comes from this machine.
    pub fn new(method: impl Into<String>, target: impl Into<String>, headers: HeaderMap) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers,
            peer: Peer {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                unix: false,
                secure: false,
                certificate: None,
            },
        }
    }

    /// The same request from this address.
    #[must_use]
    pub fn from_address(mut self, address: IpAddr) -> Self {
        self.peer.address = address;
        self
    }

    /// The same request over a connection with this client certificate.
    #[must_use]
    pub fn with_certificate(mut self, certificate: Thumbprint) -> Self {
        self.peer.certificate = Some(certificate);
        self
    }

    /// The method as it is written.
    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }
}

/// Reads the head of a request.
pub(super) fn read(
    request: TrialRequest,
    served: &[HostPattern],
) -> Result<(Parts, Target), Refusal> {
    let TrialRequest {
        method,
        target,
        headers,
        ..
    } = request;
    // The HTTP library answers 400 by itself where the first line of a request is malformed.
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| Refusal::Target("a method that is no token"))?;
    let uri: Uri = match target.parse() {
        Ok(uri) if !target.contains('#') => uri,
        // Clients keep the fragment to themselves, so it was hardly meant to be sent.
        _ => return Err(find_fault(&method, &target, &headers, served)),
    };
    let mut parts = Request::new(()).into_parts().0;
    (parts.method, parts.uri, parts.headers) = (method, uri, headers);
    let target = Target::read(&parts, served)?;
    Ok((parts, target))
}

/// What is wrong with a target that is no URI, in the words of those who can say more than that.
fn find_fault(
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    served: &[HostPattern],
) -> Refusal {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match Target::parse(method, host.unwrap_or_default(), target, served) {
        Err(refusal) => refusal,
        Ok(_) => Refusal::Target("a target that is no URI"),
    }
}
