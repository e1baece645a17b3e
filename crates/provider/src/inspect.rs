//! An issuer's documents as this server sees them, with everything that came along: for auditing,
//! and for showing.
//!
//! They go by the same way out as the keys of a running server: no redirects, https only beyond
//! loopback, bounded, and to outside addresses only where a public issuer's metadata names them.
//! Nothing is judged here, and nothing is stored.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use portcullis_core::{Limits, token::Issuer};
//! use portcullis_provider::clock::SystemClock;
//! use portcullis_provider::{egress::Egress, fetch::Fetch, inspect::Inspector, keys::KeySource};
//! use std::sync::Arc;
//!
//! let limits = Limits::default();
//! let egress = Egress {
//!     fetch: Fetch::new(limits.document_bytes),
//!     limits,
//!     clock: Arc::new(SystemClock::new()),
//! };
//! let issuer = Issuer::parse("https://idp.example")?;
//! let inspector = Inspector::new(issuer, KeySource::Discovered, egress);
//! for inspection in inspector.metadata().await {
//!     match inspection.answer {
//!         Ok(response) => println!("{}: {}", inspection.url, response.status),
//!         Err(reason) => println!("{}: {reason}", inspection.url),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use crate::clock::Clock;
use crate::egress::Egress;
use crate::fetch::{self, Authorization, FetchFault, RawResponse, Reach, TOO_LARGE};
use crate::keys::KeySource;
use crate::metadata::Metadata;
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
    egress: Egress,
}

/// An address that was asked, and its answer.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The address.
    pub url: Url,
    /// The response, or why there was none.
    pub answer: Result<InspectedResponse, String>,
    /// What to do about it, if there was none and the cure is known.
    pub cure: Option<&'static str>,
}

/// A response as it came, whatever its status.
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
    /// How long it took until the whole body was read.
    pub took: Duration,
}

impl InspectedResponse {
    /// `max-age` of Cache-Control as a running server reads it: zero for `no-store` and `no-cache`.
    pub fn max_age(&self) -> Option<Duration> {
        fetch::max_age(&self.headers)
    }
}

impl Inspector {
    /// The documents of this issuer, found where `source` says.
    pub fn new(issuer: Issuer, source: KeySource, egress: Egress) -> Self {
        Self {
            issuer,
            source,
            egress,
        }
    }

    /// The issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The bounds on the documents.
    pub fn limits(&self) -> &Limits {
        &self.egress.limits
    }

    /// The clock by which responses are timed.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.egress.clock
    }

    /// Asks every address where the metadata may be, in the order in which a server would; none
    /// where the key set is named by the operator or by what is known of the provider.
    pub async fn metadata(&self) -> Vec<Inspection> {
        // All of them, where a server stops at the first: an audit compares what they say.
        let mut inspections = Vec::new();
        for url in self.source.metadata_urls(&self.issuer) {
            inspections.push(self.look(url, Reach::Anywhere).await);
        }
        inspections
    }

    /// Asks for the key set: where it is without metadata, else where the metadata says.
    pub async fn keys(&self, named: Option<Url>) -> Option<Inspection> {
        if let KeySource::File(path) = &self.source {
            return self.look_at_file(path);
        }
        if let Some(url) = self.keys_url() {
            return Some(self.look(url, Reach::Anywhere).await);
        }
        // Metadata is foreign text: where it may lead depends on where the issuer itself is.
        let reach = fetch::reach_of_metadata(&self.issuer).await;
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

    /// Reads metadata of this issuer as a server with these settings does.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub fn read(&self, document: &[u8]) -> Result<Metadata, String> {
        let Egress { fetch, limits, .. } = &self.egress;
        Metadata::parse_over(document, &self.issuer, limits, fetch.allows_plain_http())
    }

    /// The file with the keys, as if it had been fetched.
    fn look_at_file(&self, path: &Path) -> Option<Inspection> {
        let url = self.keys_url()?;
        let clock = self.clock();
        let (asked, began) = (clock.now(), clock.elapsed());
        let read = std::fs::read(path);
        let took = clock.elapsed().saturating_sub(began);
        let answer = match read {
            Ok(body) => Ok(InspectedResponse {
                status: 200,
                headers: HeaderMap::new(),
                body,
                asked,
                took,
            }),
            Err(error) => Err(error.to_string()),
        };
        Some(Inspection {
            url,
            answer,
            cure: None,
        })
    }

    async fn look(&self, url: Url, reach: Reach) -> Inspection {
        inspect(&self.egress, url, reach).await
    }
}

/// Asks an address that an operator names for a document of any kind.
pub async fn look(egress: &Egress, url: Url) -> Inspection {
    inspect(egress, url, Reach::Anywhere).await
}

/// Asks an address that an operator names, with these credentials.
pub async fn look_as(egress: &Egress, url: Url, authorization: &Authorization) -> Inspection {
    let asking = egress.fetch.look_as(&url, authorization);
    let (timing, response) = time(egress, asking).await;
    Inspection::of(url, timing, response)
}

async fn inspect(egress: &Egress, url: Url, reach: Reach) -> Inspection {
    let (timing, response) = time(egress, egress.fetch.look(&url, reach)).await;
    Inspection::of(url, timing, response)
}

/// When it was asked for, and how long it took.
type Timing = (NumericDate, Duration);

async fn time<T>(egress: &Egress, asking: impl Future<Output = T>) -> (Timing, T) {
    let clock = &egress.clock;
    let (asked, began) = (clock.now(), clock.elapsed());
    let response = asking.await;
    ((asked, clock.elapsed().saturating_sub(began)), response)
}

impl Inspection {
    /// Whether there is a document, of which only a part was read: it is over the limit.
    pub fn is_too_large(&self) -> bool {
        let reason = self.answer.as_ref().err();
        reason.is_some_and(|reason| reason.starts_with(TOO_LARGE))
    }

    fn of(url: Url, timing: Timing, response: Result<RawResponse, FetchFault>) -> Self {
        let (asked, took) = timing;
        match response {
            Ok(RawResponse {
                status,
                headers,
                body,
            }) => Self {
                url,
                answer: Ok(InspectedResponse {
                    status,
                    headers,
                    body,
                    asked,
                    took,
                }),
                cure: None,
            },
            Err(fault) => Self {
                url,
                answer: Err(fault.reason),
                cure: fault.cure,
            },
        }
    }
}
