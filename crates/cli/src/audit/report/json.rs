//! For programs: every finding, those that are ignored too, with the reason.

use super::{Report, Subject};
use crate::audit::{Finding, Severity};
use serde_json::{Map, Value, json};

pub(crate) fn document(report: &Report) -> Value {
    let counts: Map<String, Value> = Severity::ALL
        .iter()
        .map(|severity| (severity.word().to_owned(), report.count(*severity).into()))
        .collect();
    let subjects: Vec<Value> = report
        .subjects
        .iter()
        .map(|subject| of(report, subject))
        .collect();
    json!({ "fails": report.fails(), "counts": counts, "subjects": subjects })
}

fn of(report: &Report, subject: &Subject) -> Value {
    let facts: Vec<Value> = subject
        .facts
        .iter()
        .map(|(name, told)| json!({ "name": name, "told": told }))
        .collect();
    let findings: Vec<Value> = subject
        .findings
        .iter()
        .map(|finding| found(report, finding))
        .collect();
    json!({ "name": subject.name, "facts": facts, "findings": findings })
}

fn found(report: &Report, finding: &Finding) -> Value {
    let rule = finding.rule;
    let place = finding
        .place
        .as_ref()
        .map(|place| json!({ "file": place.file, "setting": place.setting, "line": place.line }));
    json!({
        "id": rule.id,
        "severity": rule.severity.word(),
        "title": rule.title,
        "evidence": finding.evidence,
        "cure": rule.cure,
        "section": rule.section,
        "place": place,
        "ignored": report.reason_to_ignore(finding),
    })
}
