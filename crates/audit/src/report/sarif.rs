//! SARIF 2.1.0, for code scanning. What is found in settings has its file and line; what a provider
//! shows has the line of its issuer there, or else its host and path.

use super::Report;
use crate::finding::Finding;
use crate::rule::{Rule, Severity};
use crate::rules::{all, group_of};
use serde_json::{Value, json};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as one SARIF log.
#[must_use]
pub fn document(report: &Report) -> Value {
    let rules: Vec<Value> = all().map(describe).collect();
    let results: Vec<Value> = report
        .findings()
        .map(|finding| result(report, finding))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver(&rules) },
            "invocations": [{ "executionSuccessful": true }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A log without results, of an audit that did not come to its end: scanners read this reason,
/// where an empty file would be a fault of its own.
#[must_use]
pub fn describe_interruption(reason: &str) -> Value {
    let notification = json!({ "level": "error", "message": { "text": reason } });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver(&[]) },
            "invocations": [{
                "executionSuccessful": false,
                "toolExecutionNotifications": [notification],
            }],
            "results": [],
        }],
    })
}

fn driver(rules: &[Value]) -> Value {
    json!({
        "name": "portcullis",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    })
}

/// The words for severities are those of SARIF.
const fn level(severity: Severity) -> &'static str {
    severity.word()
}

fn describe(rule: &Rule) -> Value {
    let help = format!("Cure: {}. See {}.", rule.cure, rule.section);
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "help": { "text": help },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "group": group_of(rule.id), "section": rule.section },
    })
}

fn result(report: &Report, finding: &Finding) -> Value {
    let rule = finding.rule;
    let index = all().position(|other| other.id == rule.id);
    let text = format!("{}: {}. Cure: {}.", rule.title, finding.evidence, rule.cure);
    let mut result = json!({
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": level(rule.severity),
        "message": { "text": text },
        "locations": [location(finding)],
    });
    // A finding that is left out looks fixed; a suppressed one stays in view with its reason.
    if let (Some(reason), Some(members)) = (report.waiver(finding), result.as_object_mut()) {
        let suppression = json!([{ "kind": "external", "justification": reason }]);
        members.insert("suppressions".to_owned(), suppression);
    }
    result
}

fn location(finding: &Finding) -> Value {
    let Some(place) = finding.place.as_ref() else {
        // Code scanning needs a file for every result, and refuses a URL in its place.
        let (_, name) = finding
            .subject
            .split_once("://")
            .unwrap_or(("", &finding.subject));
        return json!({
            "physicalLocation": { "artifactLocation": { "uri": uri(name.trim_end_matches('/')) } },
            "logicalLocations": [{ "fullyQualifiedName": finding.subject, "kind": "resource" }],
        });
    };
    let artifact = json!({ "uri": uri(&place.file) });
    let physical = match place.line {
        Some(line) => json!({ "artifactLocation": artifact, "region": { "startLine": line } }),
        None => json!({ "artifactLocation": artifact }),
    };
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{ "fullyQualifiedName": place.setting }],
    })
}

/// A path as a URI reference (RFC 3986): every byte that is not plain is encoded.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("deploy/a b.toml"), "deploy/a%20b.toml");
        assert_eq!(uri("/etc/portcullis.toml"), "/etc/portcullis.toml");
    }
}
