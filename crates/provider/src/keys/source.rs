//! Where the keys of an issuer come from.

use crate::address;
use crate::metadata;
use portcullis_core::jose::Jwks;
use portcullis_core::token::Issuer;
use std::path::PathBuf;
use url::Url;

/// The source of an issuer's keys. It never changes what is expected of the tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeySource {
    /// The issuer's metadata names the key set, at the well-known addresses under the issuer.
    Discovered,
    /// The same, at the well-known addresses under another base, where the provider keeps it.
    DiscoveredUnder(String),
    /// The same, at an address that the operator names.
    Metadata(Url),
    /// The operator names the key set.
    Uri(Url),
    /// The keys are in a file, which is read again when it changes.
    File(PathBuf),
    /// The keys are given, and nothing is fetched.
    Fixed(Jwks),
}

impl KeySource {
    /// The metadata at an address that the operator wrote.
    ///
    /// # Errors
    ///
    /// What is wrong with the address.
    pub fn metadata(text: &str) -> Result<Self, String> {
        Ok(Self::Metadata(address::parse_fetchable(text, false)?))
    }

    /// The key set at an address that the operator wrote.
    ///
    /// # Errors
    ///
    /// What is wrong with the address.
    pub fn uri(text: &str) -> Result<Self, String> {
        Ok(Self::Uri(address::parse_fetchable(text, false)?))
    }

    /// The address that is asked first; none where nothing is fetched.
    pub fn first_address(&self, issuer: &Issuer) -> Option<Url> {
        match self {
            Self::Uri(url) => Some(url.clone()),
            _ => self.metadata_urls(issuer).into_iter().next(),
        }
    }

    /// Every address where the metadata may be, in the order in which they are asked; none where no
    /// metadata is needed.
    pub(crate) fn metadata_urls(&self, issuer: &Issuer) -> Vec<Url> {
        match self {
            Self::Discovered => metadata::well_known(issuer.as_str()),
            Self::DiscoveredUnder(base) => metadata::well_known(base),
            Self::Metadata(url) => vec![url.clone()],
            Self::Uri(_) | Self::File(_) | Self::Fixed(_) => Vec::new(),
        }
    }
}
