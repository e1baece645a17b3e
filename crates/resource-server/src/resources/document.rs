//! The metadata of resources (RFC 9728, sections 2 and 3): made once, the same for every request.

use super::path::segments;
use super::resource::{ProtectedResource, ProtectedResources, host_of};
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Serialize;

/// Where resources describe themselves, before the path of each (RFC 9728, section 3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What a door knows about a resource besides its settings.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "each door says all of it about its resources"
)]
pub struct ResourceTraits {
    /// The scopes that its operations need.
    pub scopes: Vec<String>,
    /// Whether the door can check proofs of DPoP without `public_origin`.
    pub checks_proofs: bool,
    /// Whether every operation needs a token that is bound to a key.
    pub demands_dpop: bool,
    /// Whether clients can show a certificate.
    pub takes_certificates: bool,
}

/// The document, in the order of RFC 9728, section 2.
#[derive(Serialize)]
struct MetadataDocument<'r> {
    resource: &'r str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    authorization_servers: &'r [Box<str>],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'r str>,
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dpop_signing_alg_values_supported: &'r [&'static str],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dpop_bound_access_tokens_required: bool,
    #[serde(flatten)]
    texts: std::collections::BTreeMap<&'static str, &'r str>,
}

/// The documents of all resources of a door.
#[derive(Clone, Debug, Default)]
pub struct ResourceDocuments(Vec<ResourceDocument>);

#[derive(Clone, Debug)]
struct ResourceDocument {
    host: Box<str>,
    segments: Vec<Box<[u8]>>,
    body: Bytes,
}

impl ResourceDocuments {
    /// The documents, with what the door knows about each resource.
    pub fn new(
        resources: &ProtectedResources,
        traits: impl Fn(&ProtectedResource) -> ResourceTraits,
    ) -> Self {
        let document = |resource: &ProtectedResource| ResourceDocument {
            host: resource.host.clone(),
            segments: resource.segments.clone(),
            body: body(resource, &traits(resource)),
        };
        Self(resources.iter().map(document).collect())
    }

    /// The answer to a request beneath the well-known path; `None` for every other one, and where
    /// no resource is configured. It is for everybody, and for pages of every origin. A request
    /// beneath it for something else is no one's: 404.
    pub fn answer(
        &self,
        method: &Method,
        authority: Option<&str>,
        path: &str,
    ) -> Option<Response<Bytes>> {
        if self.0.is_empty() {
            return None;
        }
        let mut asked = segments(path);
        for expected in segments(WELL_KNOWN) {
            (asked.next()? == expected).then_some(())?;
        }
        let rest: Vec<_> = asked.collect();
        let document = self.find(authority, &rest);
        Some(respond(method, document))
    }

    /// The document of the resource with this path. Several hosts may have one with the same path:
    /// then the host chooses, and a host of none of them gets nothing.
    fn find(&self, authority: Option<&str>, path: &[impl AsRef<[u8]>]) -> Option<&Bytes> {
        let is_asked = |document: &&ResourceDocument| {
            let own = document.segments.iter().map(AsRef::as_ref);
            own.eq(path.iter().map(AsRef::as_ref))
        };
        let host = authority.and_then(host_of);
        let mut named = self.0.iter().filter(is_asked);
        if let Some(document) = named.find(|it| Some(&*it.host) == host.as_deref()) {
            return Some(&document.body);
        }
        let mut all = self.0.iter().filter(is_asked);
        match (all.next(), all.next()) {
            (Some(only), None) => Some(&only.body),
            _ => None,
        }
    }
}

fn body(resource: &ProtectedResource, traits: &ResourceTraits) -> Bytes {
    let scopes = match &resource.scopes {
        Some(written) => written.iter().map(AsRef::as_ref).collect(),
        None => {
            let derived = traits.scopes.iter().map(String::as_str);
            // A client that asks for all of them must not get a grant without an end.
            derived.filter(|it| *it != "offline_access").collect()
        }
    };
    let checks_proofs = traits.checks_proofs || resource.knows_origin;
    let texts = resource.texts.iter();
    let document = MetadataDocument {
        resource: &resource.url,
        authorization_servers: &resource.issuers,
        scopes_supported: scopes,
        // A token in a query ends in logs (RFC 9700, section 4.3.2), and forms are not read.
        bearer_methods_supported: ["header"],
        tls_client_certificate_bound_access_tokens: traits.takes_certificates,
        dpop_signing_alg_values_supported: match checks_proofs {
            true => &resource.dpop_algorithms,
            false => &[],
        },
        dpop_bound_access_tokens_required: checks_proofs
            && (traits.demands_dpop || resource.demands_dpop),
        texts: texts.map(|(name, text)| (*name, &**text)).collect(),
    };
    // A struct of strings cannot fail to serialize; an empty body is no metadata for a client.
    Bytes::from(serde_json::to_vec(&document).unwrap_or_default())
}

fn respond(method: &Method, document: Option<&Bytes>) -> Response<Bytes> {
    const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let (status, body) = match document {
        Some(document) if is_read => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            // Short enough for clients to learn of another issuer within minutes.
            let caching = HeaderValue::from_static("public, max-age=600");
            headers.insert(CACHE_CONTROL, caching);
            (StatusCode::OK, document.clone())
        }
        Some(_) if *method == Method::OPTIONS => {
            headers.insert(ALLOW, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
            (StatusCode::NO_CONTENT, Bytes::new())
        }
        Some(_) => {
            headers.insert(ALLOW, METHODS);
            (StatusCode::METHOD_NOT_ALLOWED, Bytes::new())
        }
        None => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            (StatusCode::NOT_FOUND, Bytes::new())
        }
    };
    *response.status_mut() = status;
    *response.body_mut() = body;
    response
}
