//! What a transmitter answers, as the error of a command.

use crate::exit::{CommandError, Exit};
use portcullis_provider::shared_signals::{TransmitterFault, TransmitterFaultKind};

/// A fault of a transmitter, with its exit code and the next step.
pub(super) fn convert_fault(fault: &TransmitterFault) -> CommandError {
    let exit = match fault.kind {
        TransmitterFaultKind::Unreachable
        | TransmitterFaultKind::Slow
        | TransmitterFaultKind::Failing => Exit::Outage,
        TransmitterFaultKind::Unsupported => Exit::CouldNotRun,
        _ => Exit::Rejected,
    };
    let error = CommandError::new(exit, fault.to_string());
    match (fault.kind, fault.retry_after) {
        (TransmitterFaultKind::TooMany, Some(wait)) => {
            error.help(format!("try again in {} seconds", wait.as_secs()))
        }
        (TransmitterFaultKind::NotFound, _) if fault.cure.is_none() => error,
        _ => match fault.cure {
            Some(cure) => error.help(cure),
            None => error,
        },
    }
}
