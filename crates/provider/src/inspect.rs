//! An issuer's documents as this server sees them, with everything that came along: for auditing,
//! and for showing.
//!
//! They go by the same way out as the keys of a running server: no redirects, https only beyond
//! loopback, bounded, and to outside addresses only where a public issuer's metadata names them.
//! Nothing is judged here, and nothing is kept.

use crate::clock::Clock;
use crate::fetch::{self, Fetch, Reach, leads_outside};
use crate::keys::KeySource;
use crate::metadata::{self, Metadata};
use http::HeaderMap;
use portcullis_core::Limits;
use portcullis_core::token::{Issuer, NumericDate};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Looks at the documents of one issuer.
#[derive(Debug)]
pub struct Inspector {
    issuer: Issuer,
    source: KeySource,
    limits: Limits,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
}

/// An address that was asked, and what came of it.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The address.
    pub url: Url,
    /// The answer, or why there was none.
    pub answer: Result<InspectedResponse, String>,
}

/// An answer as it came, whatever its status.
#[derive(Clone, Debug)]
pub struct InspectedResponse {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
    /// When it was asked for, by our clock.
    pub asked: NumericDate,
    /// How long it took until the body was here.
    pub took: Duration,
}

impl InspectedResponse {
    /// `max-age` of Cache-Control as a running server reads it: zero for `no-store` and `no-cache`.
    pub fn max_age(&self) -> Option<Duration> {
        fetch::max_age(&self.headers)
    }
}

impl Inspector {
    /// The documents of this issuer, found where `source` says and fetched by `fetch`.
    pub fn new(
        issuer: Issuer,
        source: KeySource,
        fetch: Fetch,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            issuer,
            source,
            limits,
            fetch,
            clock,
        }
    }

    /// The issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The bounds on the documents.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The clock by which answers are timed.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Asks every address where the metadata may be, in the order in which a server would; none
    /// where the key set is named by the operator or by what is known of the provider.
    pub async fn metadata(&self) -> Vec<Inspection> {
        let mut looked = Vec::new();
        for url in self.metadata_urls() {
            looked.push(self.look(url, Reach::Anywhere).await);
        }
        looked
    }

    /// Asks for the key set: where it is without metadata, else where the metadata says.
    pub async fn keys(&self, named: Option<Url>) -> Option<Inspection> {
        if let KeySource::File(path) = &self.source {
            return self.look_at_file(path);
        }
        if let Some(url) = self.keys_url() {
            return Some(self.look(url, Reach::Anywhere).await);
        }
        let public = match Url::parse(self.issuer.as_str()) {
            Ok(issuer) => leads_outside(&issuer).await,
            Err(_) => true,
        };
        let reach = if public {
            Reach::Outside
        } else {
            Reach::Anywhere
        };
        Some(self.look(named?, reach).await)
    }

    /// Where the key set is, if no metadata is needed to know.
    pub fn keys_url(&self) -> Option<Url> {
        match &self.source {
            KeySource::Uri(url) => Some(url.clone()),
            KeySource::File(path) => Url::from_file_path(path.canonicalize().ok()?).ok(),
            _ => None,
        }
    }

    fn metadata_urls(&self) -> Vec<Url> {
        match &self.source {
            KeySource::Discovered => metadata::well_known(self.issuer.as_str()),
            KeySource::DiscoveredUnder(base) => metadata::well_known(base),
            KeySource::Metadata(url) => vec![url.clone()],
            KeySource::Uri(_) | KeySource::File(_) | KeySource::Fixed(_) => Vec::new(),
        }
    }

    /// Reads metadata of this issuer as a server with these settings does.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub fn read(&self, document: &[u8]) -> Result<Metadata, String> {
        Metadata::parse_over(
            document,
            &self.issuer,
            &self.limits,
            self.fetch.allows_plain_http(),
        )
    }

    /// The file with the keys, as if it had been fetched.
    fn look_at_file(&self, path: &Path) -> Option<Inspection> {
        let (asked, began) = (self.clock.now(), self.clock.elapsed());
        let read = std::fs::read(path).map_err(|error| error.to_string());
        let took = self.clock.elapsed().saturating_sub(began);
        let answer = read.map(|body| InspectedResponse {
            status: 200,
            headers: HeaderMap::new(),
            body,
            asked,
            took,
        });
        Some(Inspection {
            url: self.keys_url()?,
            answer,
        })
    }

    async fn look(&self, url: Url, reach: Reach) -> Inspection {
        let (asked, began) = (self.clock.now(), self.clock.elapsed());
        let looked = self.fetch.look(&url, reach).await;
        let took = self.clock.elapsed().saturating_sub(began);
        let answer = looked.map_err(|fault| fault.reason).map(|looked| {
            let fetch::RawResponse {
                status,
                headers,
                body,
            } = looked;
            InspectedResponse {
                status,
                headers,
                body,
                asked,
                took,
            }
        });
        Inspection { url, answer }
    }
}
