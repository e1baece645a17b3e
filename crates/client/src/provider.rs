//! An identity provider, found by its issuer identifier.
//!
//! The metadata is fetched once, when it is first needed, by whoever comes first; the others wait
//! for it. It counts only if it names the very issuer that was asked for (RFC 8414, section 3.3).
//! Keys for ID tokens are kept fresh.

use crate::error::Error;
use crate::metadata::ServerMetadata;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, Limits, Outage, OutageCode};
use portcullis_provider::address;
use portcullis_provider::clock::{Clock, SystemClock};
use portcullis_provider::fetch::{Fetch, OwnCertificate, Reach, Trust, leads_outside};
use portcullis_provider::issuer_keys::IssuerKeys;
use portcullis_provider::keys::KeySource;
use portcullis_provider::metadata::{self, well_known};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use url::Url;

/// An identity provider. Clones share what is known of it.
#[derive(Clone)]
pub struct Provider(Arc<ProviderState>);

struct ProviderState {
    issuer: Issuer,
    metadata_url: Option<Url>,
    trust: Trust,
    documents: Fetch,
    answers: Fetch,
    keys: IssuerKeys,
    clock: Arc<dyn Clock>,
    limits: Limits,
    found: OnceCell<(ServerMetadata, Reach)>,
}

impl Provider {
    /// The provider with this issuer identifier, its metadata read.
    ///
    /// # Errors
    ///
    /// A text that is no issuer, metadata that cannot be had, and metadata of another issuer.
    pub async fn discover(issuer: &str) -> Result<Self, Error> {
        let provider = Self::builder(issuer)?.build();
        provider.metadata().await?;
        Ok(provider)
    }

    /// The provider with this issuer identifier, with settings of its own. Nothing is fetched
    /// before it is needed, so a service can start while its provider is down.
    ///
    /// # Errors
    ///
    /// A text that is no issuer.
    pub fn builder(issuer: &str) -> Result<ProviderBuilder, ConfigError> {
        let issuer = Issuer::parse(issuer).map_err(|error| {
            let cure = "write the issuer as the provider's metadata has it, final slash included";
            ConfigError::wrong("issuer", error.to_string()).help(cure)
        })?;
        let clock = Arc::new(SystemClock::new());
        Ok(ProviderBuilder {
            issuer,
            metadata_url: None,
            trust: Trust::default(),
            clock,
        })
    }

    /// The issuer identifier.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The metadata; fetched, if it is not here yet.
    ///
    /// # Errors
    ///
    /// Metadata that cannot be had, or that is another issuer's.
    pub async fn metadata(&self) -> Result<&ServerMetadata, Error> {
        self.found().await.map(|(metadata, _)| metadata)
    }

    /// The metadata, and where the addresses in it may lead.
    pub(crate) async fn found(&self) -> Result<&(ServerMetadata, Reach), Error> {
        self.0.found.get_or_try_init(|| self.find()).await
    }

    async fn find(&self) -> Result<(ServerMetadata, Reach), Error> {
        let ProviderState {
            issuer,
            metadata_url,
            documents,
            limits,
            ..
        } = &*self.0;
        let urls = metadata_url
            .clone()
            .map_or_else(|| well_known(issuer.as_str()), |url| vec![url]);
        let needed = ["token_endpoint"];
        let found = metadata::discover(
            documents,
            issuer,
            urls,
            limits,
            &needed,
            ServerMetadata::read,
        )
        .await;
        let metadata = found.map_err(|error| {
            Error::Outage(Outage::new(
                OutageCode::Metadata,
                error.to_string(),
                Duration::from_secs(1),
            ))
        })?;
        let outside = match address::parse(issuer.as_str()) {
            Ok(url) => leads_outside(&url).await,
            Err(_) => true,
        };
        Ok((
            metadata,
            if outside {
                Reach::Outside
            } else {
                Reach::Anywhere
            },
        ))
    }

    /// The way out for the questions of a client, with its certificate where it has one.
    pub(crate) fn questions(&self, own: Option<&OwnCertificate>) -> Fetch {
        self.0
            .answers
            .for_endpoints(&self.0.trust.for_endpoints(own))
    }

    pub(crate) fn keys(&self) -> &IssuerKeys {
        &self.0.keys
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the provider {}", self.0.issuer)
    }
}

/// The settings of a provider.
#[derive(Debug)]
#[must_use]
pub struct ProviderBuilder {
    issuer: Issuer,
    metadata_url: Option<Url>,
    trust: Trust,
    clock: Arc<dyn Clock>,
}

/// The most that we read of an answer to a question: tokens may be long, but not this long.
const LARGEST_ANSWER: usize = 128 * 1024;

impl ProviderBuilder {
    /// The metadata is at this address, instead of at the well-known ones under the issuer.
    ///
    /// # Errors
    ///
    /// An address that may not be asked: another scheme than https, except on loopback.
    pub fn metadata_url(mut self, url: &str) -> Result<Self, ConfigError> {
        let parsed = address::parse(url).and_then(|url| address::fetchable(&url).map(|()| url));
        self.metadata_url = Some(parsed.map_err(|problem| {
            ConfigError::wrong("metadata_url", problem)
                .help("write the whole address, with `https://`")
        })?);
        Ok(self)
    }

    /// Trusts these certificate authorities as well, in PEM: for a provider with a certificate of
    /// one's own authority.
    ///
    /// # Errors
    ///
    /// A text without certificates.
    pub fn authorities(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        self.trust = Trust::authorities(pem).map_err(|problem| {
            ConfigError::wrong("authorities", problem).help("give certificates in PEM")
        })?;
        Ok(self)
    }

    /// Another clock than the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The provider; nothing is fetched yet.
    pub fn build(self) -> Provider {
        let Self {
            issuer,
            metadata_url,
            trust,
            clock,
        } = self;
        let limits = Limits::default();
        let documents = Fetch::new(limits.document_bytes).with_trust(&trust);
        let answers = Fetch::new(LARGEST_ANSWER);
        let source = metadata_url
            .clone()
            .map_or(KeySource::Discovered, KeySource::Metadata);
        let keys = IssuerKeys::new(
            issuer.clone(),
            source,
            documents.clone(),
            Arc::clone(&clock),
        );
        let found = OnceCell::new();
        Provider(Arc::new(ProviderState {
            issuer,
            metadata_url,
            trust,
            documents,
            answers,
            keys,
            clock,
            limits,
            found,
        }))
    }
}
