//! What an audit found, to be printed: for people, as JSON, as SARIF.

pub(crate) mod json;
pub(crate) mod sarif;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use super::evidence::spoken;
use super::handshake::Door;
use super::sample::{Sample, Token};
use super::{Finding, Place, Seen, Severity, Written};
use crate::args::{FailOn, Ignored};
use portcullis_resource_server::KeySettings;
use std::time::Duration;

/// All that was audited.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) subjects: Vec<Subject>,
    fail_on: FailOn,
    ignored: Vec<Ignored>,
}

/// One issuer, or one settings file.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    /// What was looked at, in a line each.
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(subjects: Vec<Subject>, fail_on: FailOn, ignored: Vec<Ignored>) -> Self {
        Self {
            subjects,
            fail_on,
            ignored,
        }
    }

    /// Why a finding does not count, if it does not.
    pub(crate) fn reason_to_ignore(&self, finding: &Finding) -> Option<&str> {
        let ignored = self
            .ignored
            .iter()
            .find(|ignored| ignored.id == finding.rule.id);
        ignored.map(|ignored| ignored.reason.as_str())
    }

    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.subjects.iter().flat_map(|subject| &subject.findings)
    }

    /// The findings that count.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings()
            .filter(|finding| self.reason_to_ignore(finding).is_none())
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.counted()
            .filter(|finding| finding.rule.severity == severity)
            .count()
    }

    /// Whether anything counts that makes it fail.
    pub(crate) fn fails(&self) -> bool {
        self.counted()
            .any(|finding| self.fail_on.fails(finding.rule.severity))
    }
}

impl Subject {
    pub(crate) fn of_issuer(seen: &Seen, place: Option<&Place>, findings: Vec<Finding>) -> Self {
        let mut facts = Vec::new();
        facts.extend(place.map(|place| ("settings", place.to_string())));
        for form in seen.forms.iter().filter(|form| form.document.is_some()) {
            facts.push(("metadata", form.looked.url.to_string()));
        }
        facts.extend(keys(seen).map(|keys| ("keys", keys)));
        facts.extend(
            seen.doors
                .iter()
                .map(|door| ("TLS", tls(door, seen.now.seconds()))),
        );
        facts.extend(
            seen.sample
                .as_ref()
                .and_then(Sample::token)
                .map(|token| ("token", described(token))),
        );
        Self {
            name: seen.issuer.to_string(),
            facts,
            findings,
        }
    }

    pub(crate) fn of_settings(written: &Written, findings: Vec<Finding>) -> Self {
        let count = |what: &str, number: usize| {
            format!("{number} {what}{}", if number == 1 { "" } else { "s" })
        };
        let issuers = count("issuer", written.config.resource_server.issuer.len());
        let routes = count("route", written.config.gateway.route.len());
        Self {
            name: written.file.clone(),
            facts: vec![("settings", format!("{issuers}, {routes}"))],
            findings,
        }
    }
}

fn keys(seen: &Seen) -> Option<String> {
    let set = seen.keys.as_ref()?;
    let answer = set.answer().filter(|answer| answer.status == 200)?;
    let usable = set.keys.iter().filter(|key| key.verdict.is_ok()).count();
    let again = spoken(KeySettings::default().refresh_after(answer.max_age()));
    Some(format!(
        "{} ({usable} of {} usable, fetched every {again})",
        set.looked.url,
        set.keys.len()
    ))
}

fn tls(door: &Door, now: i64) -> String {
    let spoken_versions = match (&door.tls13, &door.tls12) {
        (Ok(()), Ok(())) => "1.3 and 1.2",
        (Ok(()), Err(_)) => "1.3 only",
        (Err(_), Ok(())) => "1.2 only",
        (Err(_), Err(_)) => "neither 1.3 nor 1.2",
    };
    let left = door.leaf.map(|leaf| leaf.not_after.saturating_sub(now));
    let ends = left.map(|left| match u64::try_from(left) {
        Ok(left) => format!(
            "; the certificate ends in {}",
            spoken(Duration::from_secs(left))
        ),
        Err(_) => "; the certificate has ended".to_owned(),
    });
    format!(
        "{}: {spoken_versions}{}",
        door.host,
        ends.unwrap_or_default()
    )
}

fn described(token: &Token) -> String {
    let typ = token.typ().map_or_else(
        || "no typ".to_owned(),
        |typ| typ.escape_debug().take(32).collect(),
    );
    let life = token
        .lifetime()
        .and_then(|life| u64::try_from(life).ok())
        .map(Duration::from_secs);
    let life = life.map_or_else(
        || "no lifetime".to_owned(),
        |life| format!("lives {}", spoken(life)),
    );
    let signed = match token.signed {
        Some(true) => "verified by a published key",
        Some(false) => "not verified by any published key",
        None => "not verified, as there are no keys",
    };
    format!(
        "{}, {typ}, {life}, {} bytes, {signed}",
        token.header.algorithm, token.bytes
    )
}
