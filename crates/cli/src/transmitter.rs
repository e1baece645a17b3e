//! A transmitter of security events as a command names it, and the way out to it.

use crate::exit::CommandError;
use crate::files;
use portcullis_core::Limits;
use portcullis_core::token::Issuer;
use portcullis_provider::address;
use portcullis_provider::clock::SystemClock;
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::{Fetch, Trust};
use portcullis_provider::shared_signals::TransmitterSource;
use std::path::Path;
use std::sync::Arc;

/// A transmitter, and where its metadata is.
pub(crate) struct TransmitterAddress {
    pub(crate) issuer: Issuer,
    pub(crate) source: TransmitterSource,
}

impl TransmitterAddress {
    /// Reads the arguments of a command.
    ///
    /// # Errors
    ///
    /// Texts that are no addresses.
    pub(crate) fn read(issuer: String, metadata_url: Option<&str>) -> Result<Self, CommandError> {
        let (issuer, source) = match metadata_url {
            None => (Issuer::parse(issuer), TransmitterSource::Discovered),
            Some(url) => {
                let url = address::parse_fetchable(url, false).map_err(|reason| {
                    CommandError::could_not_run(format!("`--metadata-url`: {reason}"))
                })?;
                (Issuer::identifier(issuer), TransmitterSource::At(url))
            }
        };
        match issuer {
            Ok(issuer) => Ok(Self { issuer, source }),
            Err(error) => Err(CommandError::could_not_run(error.to_string())),
        }
    }
}

/// The way out, with the authorities of a file to trust besides those of the system.
///
/// # Errors
///
/// A file that cannot be read.
pub(crate) fn egress(ca_file: Option<&Path>) -> Result<Egress, CommandError> {
    let limits = Limits::default();
    let mut fetch = Fetch::new(limits.document_bytes);
    if let Some(path) = ca_file {
        let trust = Trust::authorities(&files::read_bytes(path)?).map_err(|reason| {
            CommandError::in_file(path, reason).help("pass a file with certificates in PEM")
        })?;
        fetch = fetch.with_trust(&trust);
    }
    Ok(Egress {
        fetch,
        limits,
        clock: Arc::new(SystemClock::new()),
    })
}
