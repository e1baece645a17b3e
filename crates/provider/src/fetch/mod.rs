//! The only way out: documents of identity providers, bounded in size and time, compressed or not.
//!
//! Refuses redirects, other schemes than https (http on loopback, or where the operator allows it),
//! bodies beyond the limit, and, for addresses that a public issuer's metadata names, hosts that
//! are or resolve to an inside address. A proxy of the environment is used for outside hosts
//! (`proxy.rs`). Nothing of the HTTP client shows outside.

mod decode;
mod endpoint;
mod fault;
mod json_request;
mod look;
mod network;
mod proxy;
mod roots;
mod trust;

#[cfg(feature = "fuzzing")]
pub(crate) use decode::decode as without_coding;
pub use endpoint::{Authorization, EndpointBody, EndpointRequest, EndpointResponse};
pub use fault::FetchFault;
pub(crate) use json_request::JsonRequest;
pub use network::{NetworkCause, NetworkFault};
pub use proxy::Proxies;
pub use roots::MISSING as NO_ROOTS;
pub use trust::{OwnCertificate, Trust};

use crate::address;
use portcullis_core::token::Issuer;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, LOCATION};
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// Fetches documents, and asks endpoints. Clones share connections.
#[derive(Clone, Debug)]
pub struct Fetch {
    anywhere: Option<Client>,
    outside: Option<Client>,
    /// Through the proxy, where the environment names one.
    proxied: Option<Client>,
    /// Whether no https server can be trusted, because this machine has no root certificates.
    lacks_roots: bool,
    proxies: Arc<Proxies>,
    largest: usize,
    /// Bounds how many fetches go on at once, so that many issuers do not take all sockets.
    slots: Arc<Semaphore>,
    token_file: Option<PathBuf>,
    plain_http: bool,
}

/// How many fetches or requests go on at once.
const SLOTS: usize = 64;
pub(crate) use decode::TOO_LARGE;

/// Where a URL may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: the operator wrote the URL.
    Anywhere,
    /// Only out on the internet: a public issuer's metadata named it.
    Outside,
}

/// What a server answered to a request for a document.
#[derive(Debug)]
pub(crate) enum DocumentResponse {
    /// A document, with what it says about being fetched again.
    Document {
        body: Vec<u8>,
        etag: Option<String>,
        max_age: Option<Duration>,
    },
    /// The document that the caller already has is still the current one.
    NotModified { max_age: Option<Duration> },
}

/// A response as it came.
#[derive(Debug)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Fetch {
    /// A way out that takes at most `largest` bytes of a document.
    pub fn new(largest: usize) -> Self {
        Self::through(Proxies::of_environment(), largest)
    }

    /// The same through these proxies.
    pub fn through(proxies: Arc<Proxies>, largest: usize) -> Self {
        let slots = Arc::new(Semaphore::new(SLOTS));
        Self::with(largest, slots, proxies, &Trust::default())
    }

    /// Whether documents may come over http from beyond loopback.
    pub fn allows_plain_http(&self) -> bool {
        self.plain_http
    }

    /// The same way out for an issuer with certificates of its own, or one that wants a token.
    #[must_use]
    pub fn with_trust(&self, trust: &Trust) -> Self {
        // Each client has its own connections and certificate store, so clients are shared where
        // they can be.
        if trust.certificates.is_empty() && trust.own.is_none() {
            return Self {
                token_file: trust.token_file.clone(),
                plain_http: trust.plain_http,
                ..self.clone()
            };
        }
        let (slots, proxies) = (Arc::clone(&self.slots), Arc::clone(&self.proxies));
        Self::with(self.largest, slots, proxies, trust)
    }

    /// A way out to the endpoints of one issuer, with a concurrency limit of its own: an endpoint
    /// that hangs cannot block the fetches of documents.
    #[must_use]
    pub fn for_endpoints(&self, trust: &Trust) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(SLOTS)),
            ..self.with_trust(trust)
        }
    }

    fn with(largest: usize, slots: Arc<Semaphore>, proxies: Arc<Proxies>, trust: &Trust) -> Self {
        let (anywhere, lacks_roots) = roots::build(|| client_builder(trust));
        let resolver = || client_builder(trust).dns_resolver(Arc::new(OutsideOnly));
        let (outside, _) = roots::build(resolver);
        let proxied = if proxies.is_empty() {
            None
        } else {
            roots::build(|| proxies.on(client_builder(trust))).0
        };
        // A client that cannot be built is a fault of every fetch, not of the start: fixed keys
        // work without one.
        Self {
            anywhere,
            outside,
            proxied,
            lacks_roots,
            proxies,
            largest,
            slots,
            token_file: trust.token_file.clone(),
            plain_http: trust.plain_http,
        }
    }

    /// Fetches a document, or learns that the one with this `etag` is still the current one.
    pub(crate) async fn get(
        &self,
        url: &Url,
        reach: Reach,
        etag: Option<&str>,
    ) -> Result<DocumentResponse, FetchFault> {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let response = self.send(url, reach, etag).await?;
        self.read(url, response).await
    }

    async fn send(
        &self,
        url: &Url,
        reach: Reach,
        etag: Option<&str>,
    ) -> Result<Response, FetchFault> {
        let mut request = self.client_for(url, reach).await?.get(url.clone());
        if let Some(file) = &self.token_file {
            match read_token(file).await {
                Ok(token) => request = request.bearer_auth(token),
                Err(reason) => return Err(FetchFault::of(url, reason)),
            }
        }
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        match request.send().await {
            Ok(response) => Ok(response),
            Err(error) => Err(self.network_fault(url, &error).await),
        }
    }

    /// The fault of a request that got no response.
    async fn network_fault(&self, url: &Url, error: &reqwest::Error) -> FetchFault {
        // Our own resolver refused the name. "cannot be resolved" would send people to their DNS.
        if network::errors(error).any(|cause| cause.to_string() == INSIDE) {
            return FetchFault::of(url, INSIDE.to_owned());
        }
        // As in `client_for`: a host inside is asked directly, whatever proxy the variables name.
        let proxy = match self.proxies.address_for(url) {
            Some(proxy) if leads_outside(url).await => Some(proxy),
            _ => None,
        };
        let fault = NetworkFault::read(url, error, proxy.as_deref());
        let mut fault = FetchFault::of_network(url, &fault);
        fault.is_unanswered = error.is_timeout() && !error.is_connect();
        fault
    }

    /// The client for a URL, if it may be fetched at all.
    async fn client_for(&self, url: &Url, reach: Reach) -> Result<&Client, FetchFault> {
        if let Err(reason) = address::fetchable_over(url, self.plain_http) {
            return Err(FetchFault::of(url, reason.to_owned()));
        }
        // Before the handshake, which would name the server's authority as the fault.
        if self.lacks_roots && url.scheme() == "https" {
            return Err(FetchFault::of(url, roots::MISSING.to_owned()));
        }
        if reach == Reach::Outside && address::is_inside(url) {
            let reason = "a public issuer names an inside address".to_owned();
            return Err(FetchFault::of(url, reason));
        }
        // A proxy resolves names by itself, so it gets only names that lead outside as seen from
        // here.
        let proxied = self.proxies.serve(url) && leads_outside(url).await;
        let client = match reach {
            _ if proxied => &self.proxied,
            Reach::Anywhere => &self.anywhere,
            Reach::Outside => &self.outside,
        };
        let Some(client) = client else {
            let reason = "TLS is not available on this machine".to_owned();
            return Err(FetchFault::of(url, reason));
        };
        Ok(client)
    }

    async fn read(&self, url: &Url, response: Response) -> Result<DocumentResponse, FetchFault> {
        let status = response.status();
        let max_age = max_age(response.headers());
        match status {
            StatusCode::NOT_MODIFIED => return Ok(DocumentResponse::NotModified { max_age }),
            StatusCode::OK => {}
            _ => {
                let location = response.headers().get(LOCATION);
                let location = location.and_then(|value| value.to_str().ok());
                // `Location` of a 201 or a 404 is no redirect, and would only confuse.
                let location = location.filter(|_| status.is_redirection());
                return Err(FetchFault::of_status(url, status, location));
            }
        }
        let mut etag = None;
        if let Some(value) = response.headers().get(ETAG)
            && let Ok(text) = value.to_str()
        {
            etag = Some(text.to_owned());
        }
        Ok(DocumentResponse::Document {
            body: self.body(url, response).await?,
            etag,
            max_age,
        })
    }

    /// The whole body, within the limit.
    async fn body(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, FetchFault> {
        let (headers, mut body) = (response.headers().clone(), Vec::new());
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => return Err(self.network_fault(url, &error).await),
            };
            body.extend_from_slice(&chunk);
            // Counted while it comes: `Content-Length` may be absent, or a lie.
            if body.len() > self.largest {
                let reason = format!("{TOO_LARGE} {} bytes", self.largest);
                return Err(FetchFault::of(url, reason));
            }
        }
        decode::decode(&headers, body, self.largest).map_err(|reason| FetchFault::of(url, reason))
    }
}

fn client_builder(trust: &Trust) -> ClientBuilder {
    // A redirect could lead to an inside address, or take credentials elsewhere. The environment's
    // proxy is ours to apply: it must not serve inside hosts.
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(30))
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")));
    if let Some(OwnCertificate(identity)) = &trust.own {
        builder = builder.identity(identity.clone());
    }
    for certificate in &trust.certificates {
        builder = builder.add_root_certificate(certificate.clone());
    }
    builder
}

/// The token for documents, read each time: a platform replaces it in its file before it ends.
async fn read_token(file: &Path) -> Result<String, String> {
    let file_name = file.display();
    let token = match tokio::fs::read_to_string(file).await {
        Ok(token) => token.trim().to_owned(),
        Err(error) => return Err(format!("{file_name}: {error}")),
    };
    if token.is_empty() {
        return Err(format!(
            "{file_name}: expected a token, found an empty file"
        ));
    }
    Ok(token)
}

/// Whether a host is out on the internet: by its address, or by all the addresses of its name.
pub async fn leads_outside(url: &Url) -> bool {
    if address::is_inside(url) {
        return false;
    }
    let Some(url::Host::Domain(name)) = url.host() else {
        return true;
    };
    match tokio::net::lookup_host((name, 443)).await {
        Ok(mut addresses) => addresses.all(|address| address::is_public(address.ip())),
        // A name that cannot be resolved leads nowhere; the stricter reading costs nothing.
        Err(_) => true,
    }
}

/// Where the addresses in an issuer's metadata may lead: a public issuer must not send requests
/// inside, while an issuer inside may name its neighbours.
pub(crate) async fn reach_of_metadata(issuer: &Issuer) -> Reach {
    match Url::parse(issuer.as_str()) {
        Ok(url) if !leads_outside(&url).await => Reach::Anywhere,
        _ => Reach::Outside,
    }
}

/// Resolves names to outside addresses only, at the moment of connecting: a name that was checked
/// earlier could resolve to another address by now (DNS rebinding).
struct OutsideOnly;

const INSIDE: &str = "a public issuer names a host that resolves to an inside address";

impl Resolve for OutsideOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let is_public = |address: &SocketAddr| address::is_public(address.ip());
            let outside: Vec<SocketAddr> = found.filter(is_public).collect();
            if outside.is_empty() {
                return Err(INSIDE.into());
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

/// `max-age` of Cache-Control (RFC 9111, section 5.2.2.1); zero for `no-store` and `no-cache`.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let text = text.to_ascii_lowercase();
    for directive in text.split(',').map(str::trim) {
        if matches!(directive, "no-store" | "no-cache") {
            return Some(Duration::ZERO);
        }
        // Some servers quote the number, which RFC 9111 asks readers to accept.
        if let Some(seconds) = directive.strip_prefix("max-age=")
            && let Ok(seconds) = seconds.trim_matches('"').parse()
        {
            return Some(Duration::from_secs(seconds));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_public_issuer_leads_to_no_inside_host_by_address_or_by_name() {
        let fetch = Fetch::new(1_000);
        for url in [
            "https://10.0.0.1/jwks",
            "https://[::ffff:127.0.0.1]/jwks",
            "https://localhost/jwks",
        ] {
            let fault = fetch
                .get(&Url::parse(url).unwrap(), Reach::Outside, None)
                .await
                .unwrap_err();
            assert!(fault.to_string().contains("inside address"), "{fault}");
        }
        // A name is judged by what it resolves to, at the moment of connecting.
        let resolved = OutsideOnly.resolve("localhost".parse().unwrap()).await;
        assert!(resolved.is_err_and(|error| error.to_string().contains("inside address")));
    }

    #[tokio::test]
    async fn a_refused_address_is_not_told_as_an_unknown_name() {
        let builder = || client_builder(&Trust::default()).dns_resolver(Arc::new(OutsideOnly));
        let client = roots::build(builder).0.unwrap();
        let url: Url = "http://localhost:1/".parse().unwrap();
        let error = client.get(url.clone()).send().await.unwrap_err();
        let fault = Fetch::new(1_000).network_fault(&url, &error).await;
        assert_eq!((fault.reason.as_str(), fault.network), (INSIDE, None));
    }
}
