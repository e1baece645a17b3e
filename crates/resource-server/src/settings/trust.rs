//! The certificate authorities of one issuer, and its own credentials for fetching.

use crate::config::IssuerConfig;
use portcullis_core::Faults;
use portcullis_provider::fetch::Trust;
use std::path::Path;

/// How the issuer's documents are fetched: the authorities to trust, and the token to show.
pub(super) fn trust(written: &IssuerConfig, faults: &Faults) -> Option<Trust> {
    let trust = match &written.ca_file {
        Some(file) => authorities(file, faults)?,
        None => Trust::default(),
    };
    Some(
        trust
            .with_token_file(written.fetch_token_file.clone())
            .with_danger_plain_http(written.danger_plain_http),
    )
}

pub(crate) fn authorities(file: &Path, faults: &Faults) -> Option<Trust> {
    let problem = match std::fs::read(file) {
        Ok(pem) => match Trust::authorities(&pem) {
            Ok(trust) => return Some(trust),
            Err(problem) => problem.to_owned(),
        },
        Err(error) => error.to_string(),
    };
    faults
        .wrong("ca_file", format!("{}: {problem}", file.display()))
        .help("write the path of a file with certificates in PEM");
    None
}
