//! For programs: every finding, with the reason where one is waived.

use super::{AuditSubject, Report};
use crate::finding::Finding;
use crate::rule::Severity;
use serde_json::{Map, Value, json};

/// The report as one JSON document.
#[must_use]
pub fn document(report: &Report) -> Value {
    let mut counts = Map::new();
    for severity in Severity::ALL {
        counts.insert(severity.word().to_owned(), report.count(severity).into());
    }
    let mut subjects = Vec::new();
    for subject in report.subjects() {
        subjects.push(subject_document(report, subject));
    }
    json!({ "fails": report.fails(), "counts": counts, "subjects": subjects })
}

/// The document of an audit that did not come to its end.
#[must_use]
pub fn describe_interruption(reason: &str) -> Value {
    json!({ "fails": true, "interrupted": reason, "counts": {}, "subjects": [] })
}

fn subject_document(report: &Report, subject: &AuditSubject) -> Value {
    let mut facts = Vec::new();
    for (name, text) in subject.facts() {
        facts.push(json!({ "name": name, "told": text }));
    }
    let mut findings = Vec::new();
    for finding in subject.findings() {
        findings.push(finding_document(report, finding));
    }
    json!({ "name": subject.name(), "facts": facts, "findings": findings })
}

fn finding_document(report: &Report, finding: &Finding) -> Value {
    let rule = finding.rule;
    let place = match &finding.place {
        Some(place) => {
            json!({ "file": place.file, "setting": place.setting, "line": place.line })
        }
        None => Value::Null,
    };
    json!({
        "id": rule.id,
        "severity": rule.severity.word(),
        "title": rule.title,
        "evidence": finding.evidence,
        "cure": rule.cure,
        "section": rule.section,
        "place": place,
        "ignored": report.waiver(finding),
    })
}
