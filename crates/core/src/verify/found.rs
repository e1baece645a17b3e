//! What the rows of the table look at, and how it is told.

use super::verifier::Examination;
use crate::dialect::{Mark, TENANT};
use crate::jose::json::Json;
use crate::rejection::shown;
use crate::token::NumericDate;

/// The algorithm of the header; an answer of introspection has none.
pub(super) fn algorithm(x: &Examination<'_>) -> String {
    match x.header {
        Some(header) => header.algorithm.to_string(),
        None => String::new(),
    }
}

/// The `typ` of the header.
pub(super) fn kind_of_header(x: &Examination<'_>) -> String {
    let header = x.header.and_then(|header| header.typ.as_deref());
    header.map_or_else(|| "none".to_owned(), shown)
}

pub(super) fn one_of<T: std::fmt::Display>(values: &[T]) -> String {
    values
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn date(x: &Examination<'_>, date: Option<NumericDate>) -> String {
    match date {
        None => "none".to_owned(),
        Some(date) if date > x.now => format!("{date}, in {} s", date.since(x.now)),
        Some(date) => format!("{date}, {} s ago", x.now.since(date)),
    }
}

pub(super) fn texts(value: Option<&Json>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Json::String(text)) => shown(text),
        Some(Json::Array(elements)) => {
            let texts: Vec<String> = elements
                .iter()
                .filter_map(Json::as_str)
                .take(5)
                .map(shown)
                .collect();
            if texts.is_empty() {
                "an empty array".to_owned()
            } else {
                texts.join(", ")
            }
        }
        Some(other) => other.type_name().to_owned(),
    }
}

/// The claim of logout tokens and security events (RFC 8417, section 2.2).
pub(super) const EVENT_CLAIMS: &[&str] = &["events"];

/// The confirmation methods there will be proofs for (RFC 9449, section 6.1; RFC 8705, section
/// 3.1).
pub(super) const CONFIRMATIONS: &[&str] = &["jkt", "x5t#S256"];

/// The first mark of the dialect that the token does not bear.
pub(super) fn wrong_mark(x: &Examination<'_>) -> Option<&'static Mark> {
    x.dialect().marks.iter().find(|mark| !x.has_mark(mark))
}

/// A JWT must say when it ends; an introspection answer may leave it out, and then is asked for
/// again soon.
pub(super) fn with_expiry(
    x: &Examination<'_>,
    check: impl FnOnce(NumericDate) -> bool,
) -> Option<bool> {
    match x.claims.expires() {
        Some(exp) => Some(check(exp)),
        None => x.header.map(|_| false),
    }
}

/// A template with the tenant in its place, `{tenantid}` in any letter case.
pub(super) fn filled(template: &str, tenant: &str) -> String {
    let at = template.to_ascii_lowercase().find(TENANT);
    match at.and_then(|at| Some((template.get(..at)?, template.get(at + TENANT.len()..)?))) {
        Some((before, after)) => format!("{before}{tenant}{after}"),
        None => template.to_owned(),
    }
}

pub(super) fn confirmation_members<'x>(
    x: &Examination<'x>,
) -> Option<impl Iterator<Item = &'x str>> {
    Some(x.claims.confirmation()?.iter().map(|(name, _)| name))
}

pub(super) fn no_confirmation(x: &Examination<'_>) -> bool {
    x.claims.confirmation().is_some_and(|cnf| cnf.is_empty())
}
