//! The only way out: documents of identity providers, bounded in size and time, packed or not.
//!
//! Refuses redirects, other schemes than https (http on loopback, or where the operator allows it),
//! bodies beyond the limit, and, for addresses that a public issuer's metadata names, hosts that
//! are or resolve to an inside address. A proxy of the environment is used for outside hosts
//! (`proxy.rs`). Nothing of the HTTP client shows outside.

mod decode;
mod endpoint;
mod proxy;
mod trust;

#[cfg(feature = "fuzzing")]
pub(crate) use decode::decode as without_coding;
pub use endpoint::{Authorization, EndpointBody, EndpointRequest, EndpointResponse};
pub use proxy::Proxies;
pub use trust::{OwnCertificate, Trust};

use crate::address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH};
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect};
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// Fetches documents. Clones share connections.
#[derive(Clone, Debug)]
pub struct Fetch {
    anywhere: Option<Client>,
    outside: Option<Client>,
    /// Through the proxy, where the environment names one.
    proxied: Option<Client>,
    proxies: Arc<Proxies>,
    largest: usize,
    /// At most so many fetches at once, so that many issuers do not take all sockets.
    slots: Arc<Semaphore>,
    token_file: Option<PathBuf>,
    plain_http: bool,
}

/// Where a URL may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: the operator wrote the URL.
    Anywhere,
    /// Only out on the internet: a public issuer's metadata named it.
    Outside,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) enum DocumentResponse {
    /// A document, with what it says about being fetched again.
    Document {
        body: Vec<u8>,
        etag: Option<String>,
        max_age: Option<Duration>,
    },
    /// The one that is already here.
    NotModified { max_age: Option<Duration> },
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why a document could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchFault {
    url: String,
    /// Why, in words.
    pub reason: String,
    /// Whether the server itself answered that there is no such document.
    pub absent: bool,
}

impl Fetch {
    /// A way out that takes at most `largest` bytes of a document.
    pub fn new(largest: usize) -> Self {
        Self::through(Proxies::of_environment(), largest)
    }

    /// The same through these proxies.
    pub fn through(proxies: Arc<Proxies>, largest: usize) -> Self {
        Self::with(
            largest,
            Arc::new(Semaphore::new(64)),
            proxies,
            &Trust::default(),
        )
    }

    /// Whether documents may come over http from beyond loopback.
    pub fn allows_plain_http(&self) -> bool {
        self.plain_http
    }

    /// The same way out for an issuer with certificates of its own, or one that wants a token.
    pub fn with_trust(&self, trust: &Trust) -> Self {
        if trust.certificates.is_empty() && trust.own.is_none() {
            let (token_file, plain_http) = (trust.token_file.clone(), trust.plain_http);
            return Self {
                token_file,
                plain_http,
                ..self.clone()
            };
        }
        Self::with(
            self.largest,
            Arc::clone(&self.slots),
            Arc::clone(&self.proxies),
            trust,
        )
    }

    /// A way out for questions of one issuer, with places of its own: however many wait for an
    /// endpoint that hangs, documents are fetched all the same.
    pub fn for_endpoints(&self, trust: &Trust) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(64)),
            ..self.with_trust(trust)
        }
    }

    fn with(largest: usize, slots: Arc<Semaphore>, proxies: Arc<Proxies>, trust: &Trust) -> Self {
        let builder = || {
            let builder = Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .connect_timeout(Duration::from_secs(2))
                .timeout(Duration::from_secs(5))
                .pool_idle_timeout(Duration::from_secs(30))
                .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")));
            let builder = match &trust.own {
                Some(OwnCertificate(identity)) => builder.identity(identity.clone()),
                None => builder,
            };
            trust
                .certificates
                .iter()
                .cloned()
                .fold(builder, ClientBuilder::add_root_certificate)
        };
        let (anywhere, outside) = (
            builder().build(),
            builder().dns_resolver(Arc::new(OutsideOnly)).build(),
        );
        let proxied = (!proxies.is_empty()).then(|| proxies.on(builder()).build());
        Self {
            anywhere: anywhere.ok(),
            outside: outside.ok(),
            proxied: proxied.and_then(Result::ok),
            proxies,
            largest,
            slots,
            token_file: trust.token_file.clone(),
            plain_http: trust.plain_http,
        }
    }

    /// Fetches a document, or hears that the one with this `etag` is still the current one.
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

    /// The whole answer, whatever it is: for showing what a server says.
    pub(crate) async fn look(&self, url: &Url, reach: Reach) -> Result<RawResponse, FetchFault> {
        let _slot = self.slots.acquire().await;
        let response = self.send(url, reach, None).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(RawResponse {
            status,
            headers,
            body: self.body(url, response).await?,
        })
    }

    async fn send(
        &self,
        url: &Url,
        reach: Reach,
        etag: Option<&str>,
    ) -> Result<Response, FetchFault> {
        let fault = |reason: String| FetchFault::of(url, reason);
        let mut request = self.client_for(url, reach).await?.get(url.clone());
        if let Some(file) = &self.token_file {
            let token = tokio::fs::read_to_string(file).await;
            let token = token.map_err(|error| fault(format!("{}: {error}", file.display())))?;
            let token = token.trim();
            if token.is_empty() {
                return Err(fault(format!(
                    "{}: expected a token, found an empty file",
                    file.display()
                )));
            }
            request = request.bearer_auth(token);
        }
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        request.send().await.map_err(|error| fault(chain(&error)))
    }

    /// The client for a URL, if it may be fetched at all.
    async fn client_for(&self, url: &Url, reach: Reach) -> Result<&Client, FetchFault> {
        let fault = |reason: &str| FetchFault::of(url, reason.to_owned());
        address::fetchable_over(url, self.plain_http).map_err(fault)?;
        if reach == Reach::Outside && address::is_inside(url) {
            return Err(fault("a public issuer names an inside address"));
        }
        // A proxy resolves names by itself: only names that lead outside, as seen from here, are
        // its business.
        let proxied = self.proxies.serve(url) && leads_outside(url).await;
        let client = match reach {
            _ if proxied => &self.proxied,
            Reach::Anywhere => &self.anywhere,
            Reach::Outside => &self.outside,
        };
        client
            .as_ref()
            .ok_or_else(|| fault("TLS is not available on this machine"))
    }

    async fn read(&self, url: &Url, response: Response) -> Result<DocumentResponse, FetchFault> {
        let status = response.status();
        let fault = |reason: String| FetchFault {
            absent: status.is_client_error(),
            ..FetchFault::of(url, reason)
        };
        let max_age = max_age(response.headers());
        if status == StatusCode::NOT_MODIFIED {
            return Ok(DocumentResponse::NotModified { max_age });
        }
        if status != StatusCode::OK {
            let redirected = if status.is_redirection() {
                " (redirects are not followed)"
            } else {
                ""
            };
            return Err(fault(format!(
                "the answer was {}{redirected}",
                status.as_u16()
            )));
        }
        let etag = response
            .headers()
            .get(ETAG)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(DocumentResponse::Document {
            body: self.body(url, response).await?,
            etag,
            max_age,
        })
    }

    /// The whole body, within the limit.
    async fn body(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, FetchFault> {
        let (headers, mut body) = (response.headers().clone(), Vec::new());
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| FetchFault::of(url, chain(&error)))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > self.largest {
                let reason = format!("the document is larger than {} bytes", self.largest);
                return Err(FetchFault::of(url, reason));
            }
        }
        decode::decode(&headers, body, self.largest).map_err(|reason| FetchFault::of(url, reason))
    }
}

/// Whether a host is out on the internet: by its address, or by all the addresses of its name.
pub async fn leads_outside(url: &Url) -> bool {
    if address::is_inside(url) {
        return false;
    }
    let Some(url::Host::Domain(name)) = url.host() else {
        return true;
    };
    // A name that cannot be resolved leads nowhere; the stricter reading costs nothing.
    match tokio::net::lookup_host((name, 443)).await {
        Ok(addresses) => addresses
            .map(|address| address.ip())
            .all(address::is_public),
        Err(_) => true,
    }
}

/// Resolves names to outside addresses only, at the moment of connecting.
struct OutsideOnly;

impl Resolve for OutsideOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let outside: Vec<SocketAddr> = found
                .filter(|address| address::is_public(address.ip()))
                .collect();
            if outside.is_empty() {
                return Err(
                    "a public issuer names a host that resolves to an inside address".into(),
                );
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

/// `max-age` of Cache-Control (RFC 9111, section 5.2.2.1); zero for `no-store` and `no-cache`.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let text = headers
        .get(CACHE_CONTROL)?
        .to_str()
        .ok()?
        .to_ascii_lowercase();
    let mut directives = text.split(',').map(str::trim);
    directives.find_map(|directive| match directive {
        "no-store" | "no-cache" => Some(Duration::ZERO),
        other => other
            .strip_prefix("max-age=")?
            .trim_matches('"')
            .parse()
            .ok()
            .map(Duration::from_secs),
    })
}

/// An error with its causes: the client's own message leaves out why.
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        String::new()
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        let separator = if text.is_empty() { "" } else { ": " };
        text.push_str(&format!("{separator}{error}"));
        cause = error.source();
    }
    if text.is_empty() {
        "the request failed".to_owned()
    } else {
        text
    }
}

impl FetchFault {
    fn of(url: &Url, reason: String) -> Self {
        Self {
            url: url.to_string(),
            reason,
            absent: false,
        }
    }
}

impl fmt::Display for FetchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.reason)
    }
}

impl Error for FetchFault {}

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
}
