//! `portcullis audit ssf`: a transmitter of security events, by the table of rules.

use crate::exit::{CommandError, Exit};
use crate::transmitter::{TransmitterAddress, egress};
use portcullis_audit::report::AuditSubject;
use portcullis_audit::{examine_transmitter, gather_transmitter};
use std::path::PathBuf;

/// Asks a transmitter, and examines what it answers.
///
/// # Errors
///
/// Wrong arguments, and a transmitter that does not answer.
pub(super) async fn examine(
    issuer: String,
    metadata_url: Option<String>,
    ca_file: Option<PathBuf>,
) -> Result<AuditSubject, CommandError> {
    let transmitter = TransmitterAddress::read(issuer, metadata_url.as_deref())?;
    let egress = egress(ca_file.as_deref())?;
    let TransmitterAddress { issuer, source } = transmitter;
    match gather_transmitter(&egress, issuer, &source).await {
        Ok(observation) => {
            let findings = examine_transmitter(&observation);
            Ok(AuditSubject::transmitter(&observation, findings))
        }
        Err(reason) => Err(CommandError::new(Exit::Outage, reason)),
    }
}
