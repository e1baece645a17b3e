//! An identity provider, identified by its issuer.
//!
//! The metadata is fetched once, when it is first needed; concurrent callers share that fetch. It
//! counts only if it names exactly this issuer (RFC 8414, section 3.3). Keys for ID tokens are kept
//! fresh.

use crate::error::Error;
use crate::metadata::ServerMetadata;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, Limits, Outage, OutageCode};
use portcullis_provider::address;
use portcullis_provider::clock::{Clock, SystemClock};
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::{Fetch, OwnCertificate, Reach, Trust, leads_outside};
use portcullis_provider::issuer_keys::IssuerKeys;
use portcullis_provider::keys::KeySource;
use portcullis_provider::metadata::{self, well_known};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use url::Url;

/// The cure of metadata that names another issuer.
const OTHER_ISSUER: &str = "if it is your provider in another spelling, write the issuer exactly \
    as its metadata does; if that name is not yours, stop: somebody else answers here";

/// An identity provider. Clones share the metadata and the keys.
///
/// ```no_run
/// use portcullis_client::Provider;
///
/// # async fn example() -> Result<(), portcullis_client::Error> {
/// // Reads the metadata now; fails if the provider is down.
/// let provider = Provider::discover("https://idp.example").await?;
/// // Reads it when it is first needed, so a service starts without its provider.
/// let lazy = Provider::builder("https://idp.example")?.build();
/// # let _ = (provider, lazy);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Provider(Arc<ProviderState>);

struct ProviderState {
    issuer: Issuer,
    metadata_url: Option<Url>,
    trust: Trust,
    documents: Fetch,
    endpoints: Fetch,
    keys: IssuerKeys,
    clock: Arc<dyn Clock>,
    limits: Limits,
    found: OnceCell<(ServerMetadata, Reach)>,
}

impl Provider {
    /// The provider with this issuer identifier, with its metadata read.
    ///
    /// # Errors
    ///
    /// A text that is not an issuer; metadata that cannot be read, or belongs to another issuer.
    pub async fn discover(issuer: &str) -> Result<Self, Error> {
        let provider = Self::builder(issuer)?.build();
        provider.metadata().await?;
        Ok(provider)
    }

    /// Settings for the provider with this issuer identifier. Nothing is fetched before it is
    /// needed, so a service can start while its provider is down.
    ///
    /// # Errors
    ///
    /// A text that is not an issuer.
    pub fn builder(issuer: &str) -> Result<ProviderBuilder, ConfigError> {
        let issuer = Issuer::parse(issuer).map_err(|error| {
            let help = "write the issuer as the provider's metadata has it, final slash included";
            ConfigError::wrong("issuer", error.to_string()).help(help)
        })?;
        Ok(ProviderBuilder::new(issuer))
    }

    /// The same for a provider whose metadata is at this address. The issuer is only compared then,
    /// so it may be any identifier, such as `http://fs.example/adfs/services/trust` of AD FS.
    ///
    /// # Errors
    ///
    /// A text that cannot be in `iss`, and an address with another scheme than https, except on
    /// loopback.
    ///
    /// ```
    /// use portcullis_client::Provider;
    ///
    /// let issuer = "http://fs.example/adfs/services/trust";
    /// let metadata = "https://fs.example/adfs/.well-known/openid-configuration";
    /// let provider = Provider::builder_at(issuer, metadata)?.build();
    /// assert_eq!(provider.issuer().as_str(), issuer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder_at(issuer: &str, metadata_url: &str) -> Result<ProviderBuilder, ConfigError> {
        let issuer = Issuer::identifier(issuer).map_err(|error| {
            let help = "write the issuer as it is in `iss` of the tokens";
            ConfigError::wrong("issuer", error.to_string()).help(help)
        })?;
        ProviderBuilder::new(issuer).metadata_url(metadata_url)
    }

    /// The issuer identifier.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The metadata. The first call fetches it.
    ///
    /// # Errors
    ///
    /// Metadata that cannot be fetched, or that belongs to another issuer.
    pub async fn metadata(&self) -> Result<&ServerMetadata, Error> {
        let (metadata, _) = self.metadata_and_reach().await?;
        Ok(metadata)
    }

    /// The metadata, and where the addresses in it may lead.
    pub(crate) async fn metadata_and_reach(&self) -> Result<&(ServerMetadata, Reach), Error> {
        // A failure is not cached: the next caller tries again.
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
        let urls = match metadata_url {
            Some(url) => vec![url.clone()],
            None => well_known(issuer.as_str()),
        };
        let needed = ["token_endpoint"];
        let read = ServerMetadata::read;
        let found = metadata::discover(documents, issuer, urls, limits, &needed, read).await;
        let metadata = match found {
            Ok(metadata) => metadata,
            Err(error) if error.is_of_another_issuer() => {
                return Err(Error::config("issuer", error.to_string(), OTHER_ISSUER));
            }
            Err(error) => {
                let (facts, pause) = (error.to_string(), Duration::from_secs(1));
                let outage = Outage::new(OutageCode::Metadata, facts, pause);
                return Err(Error::Outage(outage.with_cure(error.cure())));
            }
        };
        Ok((metadata, self.reach().await))
    }

    /// Where the addresses in the metadata may lead.
    async fn reach(&self) -> Reach {
        // A provider on the internet must not send this client to addresses inside the network
        // (server-side request forgery). A provider inside may name other hosts inside.
        // An identifier that is only compared is nowhere: what the operator wrote counts.
        let place = match (&self.0.metadata_url, Issuer::parse(self.0.issuer.as_str())) {
            (Some(url), Err(_)) => Ok(url.clone()),
            _ => address::parse(self.0.issuer.as_str()),
        };
        match place {
            Ok(url) if !leads_outside(&url).await => Reach::Anywhere,
            _ => Reach::Outside,
        }
    }

    /// The HTTP side of a client, with its certificate if it has one.
    pub(crate) fn endpoint_fetch(&self, own: Option<&OwnCertificate>) -> Fetch {
        let trust = self.0.trust.for_endpoints(own);
        self.0.endpoints.for_endpoints(&trust)
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

/// The size limit of a response, in bytes. Tokens may be long, but not this long.
const LARGEST_RESPONSE: usize = 128 * 1024;

impl ProviderBuilder {
    fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            metadata_url: None,
            trust: Trust::default(),
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// The address of the metadata. Default: the well-known addresses of the issuer.
    ///
    /// # Errors
    ///
    /// An address with another scheme than https, except on loopback.
    pub fn metadata_url(mut self, url: &str) -> Result<Self, ConfigError> {
        let url = address::parse_fetchable(url, false).map_err(|problem| {
            let help = "write the whole address, with `https://`";
            ConfigError::wrong("metadata_url", problem).help(help)
        })?;
        self.metadata_url = Some(url);
        Ok(self)
    }

    /// Trusts these certificate authorities as well, in PEM: for a provider whose certificate is
    /// from a private authority.
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

    /// Replaces the machine's clock, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The provider. Nothing is fetched yet.
    pub fn build(self) -> Provider {
        let limits = Limits::default();
        let documents = Fetch::new(limits.document_bytes).with_trust(&self.trust);
        let source = match &self.metadata_url {
            Some(url) => KeySource::Metadata(url.clone()),
            None => KeySource::Discovered,
        };
        let egress = Egress {
            fetch: documents.clone(),
            limits,
            clock: Arc::clone(&self.clock),
        };
        let keys = IssuerKeys::new(self.issuer.clone(), source, egress);
        Provider(Arc::new(ProviderState {
            issuer: self.issuer,
            metadata_url: self.metadata_url,
            trust: self.trust,
            documents,
            endpoints: Fetch::new(LARGEST_RESPONSE),
            keys,
            clock: self.clock,
            limits,
            found: OnceCell::new(),
        }))
    }
}
