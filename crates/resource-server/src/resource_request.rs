//! A request for a protected resource, as a door sees it.

use crate::resources::ProtectedResource;
use http::{HeaderMap, Method};
use portcullis_core::EffectiveUrl;
use portcullis_core::proof::Thumbprint;

/// A request for a protected resource: what the decision about it reads.
///
/// ```
/// use http::{HeaderMap, Method};
/// use portcullis_core::EffectiveUrl;
/// use portcullis_resource_server::ResourceRequest;
///
/// let (headers, url) = (HeaderMap::new(), EffectiveUrl::parse("https://api.example/orders"));
/// let request = ResourceRequest {
///     method: &Method::POST,
///     url: url.as_ref(),
///     ..ResourceRequest::of_headers(&headers, None)
/// };
/// assert!(request.certificate.is_none());
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what a door leaves out must not compile"
)]
pub struct ResourceRequest<'r> {
    /// The method that the client used.
    pub method: &'r Method,
    /// What the client asked for, as it wrote it. Without it no proof of DPoP can be checked.
    pub url: Option<&'r EffectiveUrl>,
    /// The headers of the client.
    pub headers: &'r HeaderMap,
    /// The query, without its question mark.
    pub query: Option<&'r str>,
    /// The client certificate of the connection, whoever signed it.
    pub certificate: Option<&'r Thumbprint>,
    /// The API that the request is for, by [`ResourceServer::resources`]. Its tokens must be meant
    /// for it.
    ///
    /// [`ResourceServer::resources`]: crate::ResourceServer::resources
    pub resource: Option<&'r ProtectedResource>,
}

impl<'r> ResourceRequest<'r> {
    /// A request of which nothing else is known: tokens that are bound are refused.
    pub fn of_headers(headers: &'r HeaderMap, query: Option<&'r str>) -> Self {
        Self {
            method: &Method::GET,
            url: None,
            headers,
            query,
            certificate: None,
            resource: None,
        }
    }
}
