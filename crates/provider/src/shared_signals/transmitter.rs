//! A transmitter, found by its metadata.

use super::fault::{TransmitterFault, TransmitterFaultKind};
use super::metadata::{TransmitterMetadata, well_known};
use crate::egress::Egress;
use crate::fetch::{self, DocumentResponse, Reach};
use portcullis_core::token::Issuer;
use url::Url;

/// A transmitter of security events whose metadata was read.
#[derive(Clone, Debug)]
pub struct Transmitter {
    pub(super) metadata: TransmitterMetadata,
    pub(super) egress: Egress,
    pub(super) reach: Reach,
}

/// Where the metadata of a transmitter is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransmitterSource {
    /// At the well-known address of its issuer.
    Discovered,
    /// At an address that the operator names, such as
    /// `https://accounts.google.com/.well-known/risc-configuration`.
    At(Url),
}

impl TransmitterSource {
    /// The address for this issuer; none if the issuer is no URL and no other address is named.
    pub fn address(&self, issuer: &Issuer) -> Option<Url> {
        match self {
            Self::Discovered => well_known(issuer),
            Self::At(url) => Some(url.clone()),
        }
    }
}

impl Transmitter {
    /// Asks for the metadata of a transmitter. Its `issuer` must be this one, byte for byte.
    ///
    /// Requests to its endpoints go by `egress`. Give it one of its own
    /// ([`Egress::for_endpoints`]): a request that waits for events must not hold up the fetches of
    /// keys.
    ///
    /// # Errors
    ///
    /// No document, or one that is not this transmitter's.
    pub async fn discover(
        issuer: Issuer,
        source: &TransmitterSource,
        egress: Egress,
    ) -> Result<Self, TransmitterFault> {
        let Some(url) = source.address(&issuer) else {
            let text = format!("{issuer}: it is not a URL, so its metadata cannot be found");
            let kind = TransmitterFaultKind::Unsupported;
            return Err(
                TransmitterFault::of(kind, text).with_cure("name the address of its metadata")
            );
        };
        let fetch = &egress.fetch;
        let body = match fetch.get(&url, Reach::Anywhere, None).await {
            Ok(DocumentResponse::Document { body, .. }) => body,
            Ok(DocumentResponse::NotModified { .. }) => {
                return Err(TransmitterFault::of_content(
                    &url,
                    "the answer was 304, unasked",
                ));
            }
            Err(fault) => return Err(not_there(&TransmitterFault::of_fetch(&fault))),
        };
        let plain_http = fetch.allows_plain_http();
        let metadata = TransmitterMetadata::parse(&body, &issuer, &egress.limits, plain_http)
            .map_err(|reason| TransmitterFault::of_content(&url, &reason))?;
        // Metadata is foreign text: where it may lead depends on where the issuer itself is.
        let reach = fetch::reach_of_metadata(&issuer).await;
        Ok(Self {
            metadata,
            egress,
            reach,
        })
    }

    /// What it says about itself.
    pub fn metadata(&self) -> &TransmitterMetadata {
        &self.metadata
    }

    /// Where the addresses that it names may lead: only outside, if it is outside itself.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The way out to it.
    pub fn egress(&self) -> &Egress {
        &self.egress
    }
}

fn not_there(fault: &TransmitterFault) -> TransmitterFault {
    match (fault.kind, fault.cure) {
        (TransmitterFaultKind::NotFound, None) => fault
            .clone()
            .with_cure("name the address of the metadata, if the transmitter has it elsewhere"),
        _ => fault.clone(),
    }
}
