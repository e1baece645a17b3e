//! The log line of a denial.
//!
//! A refusal is told once: with audit records its line has the level debug, as the record says the
//! same. An outage that its source logs has no line of its own either.

use super::record::AuditRecord;
use portcullis_core::Denial;
use tracing::field;

/// Logs a denial. `is_recorded`: whether an audit record says the same.
pub(super) fn log(record: &AuditRecord<'_>, denial: &Denial, is_recorded: bool) {
    let facts = record.facts.as_deref().unwrap_or("none");
    let (code, code_url) = (record.code, record.code_url.as_deref());
    let (route, request_id) = (record.route, record.request_id);
    match denial {
        Denial::Rejection(_) if is_recorded => {
            tracing::debug!(code, facts, code_url, route, request_id, "refused");
        }
        Denial::Rejection(_) => log_refusal(record, facts),
        Denial::Outage(outage) if outage.is_logged() => {
            tracing::debug!(code, facts, code_url, route, request_id, "no decision");
        }
        Denial::Outage(_) => {
            tracing::warn!(code, facts, code_url, route, request_id, "no decision");
        }
    }
}

fn log_refusal(record: &AuditRecord<'_>, facts: &str) {
    // Only a verified token names a caller: a forged one would write any name into the log.
    let caller = record.who.as_ref();
    tracing::info!(
        code = record.code,
        facts,
        code_url = record.code_url.as_deref(),
        route = record.route,
        issuer = caller.map(|caller| &*caller.issuer),
        subject = caller.and_then(|caller| caller.subject.as_deref()),
        client = caller.and_then(|caller| caller.client.as_deref()),
        required = record.required.map(field::display),
        present = record.present.map(field::display),
        request_id = record.request_id,
        "refused",
    );
}
