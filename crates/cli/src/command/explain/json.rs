//! The report as JSON: see `docs/explain.schema.json`. Members are added to it, and never removed.

use super::report::TokenReport;
use portcullis_core::jose::json::Object;
use portcullis_core::token::{Identity, Membership, NumericDate};
use portcullis_core::verify::{Outcome, Step};
use portcullis_resource_server::{Explanation, TokenContent, TokenForm};
use serde_json::{Value, json};

/// The document of `portcullis explain --json`.
pub(crate) fn document(report: &TokenReport<'_>) -> Value {
    let conclusion = report.conclusion();
    let checks = report.checks;
    let steps = checks.map_or(report.proof, |checks| &checks.steps);
    let steps: Vec<Value> = steps.iter().map(step).collect();
    json!({
        "accepted": checks.map(Explanation::is_accepted),
        "conclusion": conclusion.word(),
        "code": checks.and_then(Explanation::first_obstacle).map(|step| step.code),
        "profile": report.content.profile,
        "hint": report.hint,
        "input": {
            "form": report.source.form.word(),
            "notes": report.source.notes,
        },
        "token": token(report.content, report.is_authentic()),
        "verify_with": report.command,
        "steps": steps,
    })
}

/// The checks alone, of the token of a request.
pub(super) fn checks(explanation: &Explanation) -> Value {
    let steps: Vec<Value> = explanation.steps.iter().map(step).collect();
    json!({
        "accepted": explanation.is_accepted(),
        "code": explanation.first_obstacle().map(|step| step.code),
        "profile": explanation.profile,
        "hint": explanation.hint,
        "steps": steps,
    })
}

/// The document as text, without characters that a terminal acts on or that turn text around.
pub(crate) fn text(document: &Value) -> String {
    let mut text = String::new();
    for character in format!("{document:#}").chars() {
        let is_safe = character == '\n' || character.is_ascii_graphic() || character == ' ';
        // What Rust would escape is no visible character, or reorders others.
        if is_safe || character.escape_debug().len() == 1 {
            text.push(character);
        } else {
            // JSON escapes UTF-16 units: two of them beyond U+FFFF (RFC 8259, section 7).
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text.push('\n');
    text
}

fn token(content: &TokenContent, is_authentic: bool) -> Value {
    let date = |claim| content.date(claim).map(NumericDate::seconds);
    json!({
        "form": form(content.form),
        "bytes": content.bytes,
        "authentic": is_authentic,
        "header": content.header.as_ref().map(object),
        "claims": content.claims.as_ref().map(object),
        "issuer": content.text("iss"),
        "audience": content.audiences(),
        "issued_at": date("iat"),
        "not_before": date("nbf"),
        "expires_at": date("exp"),
        "identity": content.identity.as_ref().map(identity),
    })
}

fn object(object: &Object) -> Value {
    // A document that was read from JSON can be written as JSON.
    serde_json::to_value(object).unwrap_or_default()
}

const fn form(form: TokenForm) -> &'static str {
    match form {
        TokenForm::SignedJwt => "jwt",
        TokenForm::EncryptedJwt => "encrypted_jwt",
        TokenForm::BrokenJwt => "broken_jwt",
        TokenForm::Opaque => "opaque",
        _ => "unreadable",
    }
}

pub(super) fn identity(identity: &Identity) -> Value {
    let scopes: Vec<&str> = identity.scopes().iter().collect();
    json!({
        "kind": identity.kind().to_string(),
        "subject": identity.subject(),
        "client": identity.client(),
        "tenant": identity.tenant(),
        "scopes": scopes,
        "roles": members(identity.roles()),
        "groups": members(identity.groups()),
    })
}

/// The names; null if they are unknown, which is never the same as none.
fn members(names: &Membership) -> Option<Vec<&str>> {
    (!names.is_unknown()).then(|| names.iter().collect())
}

fn step(step: &Step) -> Value {
    let outcome = match step.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Skipped => "skipped",
        // An outage: neither a pass nor a failure may be read out of it.
        _ => "unknown",
    };
    json!({
        "name": step.name,
        "outcome": outcome,
        "code": step.code,
        "expected": step.expected,
        "found": step.found,
        "cure": step.cure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_no_character_that_steers_a_terminal() {
        let hostile = json!({ "a": "\u{1b}[2J\u{9b}\u{202e}\u{e9}\u{1f600}\u{e0001}" });
        let text = text(&hostile);
        assert!(text.contains(r"\u001b[2J\u009b\u202e"), "{text}");
        assert!(
            text.contains('\u{e9}') && text.contains('\u{1f600}'),
            "{text}"
        );
        assert!(text.contains(r"\udb40\udc01"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), hostile);
    }
}
