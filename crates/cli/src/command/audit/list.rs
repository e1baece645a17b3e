//! The rules by themselves: what the audit examines, without an audit.

use super::page;
use crate::args::Format;
use crate::output::{QUIET, STRONG, paint};
use portcullis_audit::report::{Report, sarif};
use portcullis_audit::{GROUPS, Rule};
use serde_json::{Value, json};

/// These rules, or all where none is named.
pub(super) fn list(chosen: &[&Rule], format: Format) -> String {
    let is_chosen =
        |rule: &Rule| chosen.is_empty() || chosen.iter().any(|other| other.id == rule.id);
    match format {
        Format::Text => page_of(is_chosen),
        Format::Json => format!("{:#}\n", document(is_chosen)),
        // A log without results: the rules stand in its head.
        Format::Sarif => {
            let report = Report::new(Vec::new(), None, Vec::new());
            format!("{:#}\n", sarif::document(&report))
        }
    }
}

fn page_of(is_chosen: impl Fn(&Rule) -> bool) -> String {
    let (mut text, mut count) = (String::new(), 0);
    for (title, rules) in GROUPS {
        let rules: Vec<&Rule> = rules.iter().filter(|rule| is_chosen(rule)).collect();
        let Some(first) = rules.first() else {
            continue;
        };
        let looks_at = match first.looks_at() {
            "settings" => "in your settings",
            "resource" => "at an API",
            "transmitter" => "by its metadata and keys",
            _ => "at the provider",
        };
        let title = paint(STRONG, title);
        text.push_str(&format!(
            "\n  {title}{}\n",
            paint(QUIET, &format!(", {looks_at}"))
        ));
        for rule in rules {
            text.push_str(&describe(rule));
            count += 1;
        }
    }
    let ending = if count == 1 { "" } else { "s" };
    format!("{text}\n  {count} rule{ending}\n\n")
}

fn describe(rule: &Rule) -> String {
    let line = |word: &str, text: &str| page::write_line(word, text);
    format!(
        "\n  {}{}\n{}{}{}",
        page::word(rule.severity),
        paint(STRONG, rule.id),
        line("finds", rule.title),
        line("cure", rule.cure),
        paint(QUIET, &line("see", rule.section)),
    )
}

/// Members are added to it, and never removed.
fn document(is_chosen: impl Fn(&Rule) -> bool) -> Value {
    let mut rules = Vec::new();
    for (group, members) in GROUPS {
        for rule in members.iter().filter(|rule| is_chosen(rule)) {
            rules.push(json!({
                "id": rule.id,
                "severity": rule.severity.word(),
                "group": group,
                "looks_at": rule.looks_at(),
                "title": rule.title,
                "cure": rule.cure,
                "section": rule.section,
            }));
        }
    }
    Value::Array(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_audit::{all, find};

    #[test]
    fn every_rule_is_listed_with_its_severity_and_cure() {
        let page = list(&[], Format::Text);
        let plain = anstream::adapter::strip_str(&page).to_string();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let flowing = words(&plain);
        for rule in all() {
            let entry = format!("{} {} finds", rule.severity.word(), rule.id);
            assert!(flowing.contains(&entry), "{entry}");
            let text = format!("finds {} cure {} see", rule.title, rule.cure);
            assert!(flowing.contains(&words(&text)), "{text}");
        }
        let document: Value = serde_json::from_str(&list(&[], Format::Json)).unwrap();
        assert_eq!(document.as_array().map(Vec::len), Some(all().count()));
        assert!(plain.contains(&format!("\n  {} rules\n", all().count())));
    }

    #[test]
    fn a_rule_is_shown_alone() {
        let rule = find("audit.pkce_missing").unwrap();
        let page = list(&[rule], Format::Text);
        let plain = anstream::adapter::strip_str(&page).to_string();
        assert!(
            plain.contains("Grants and flows, at the provider\n"),
            "{plain}"
        );
        assert!(plain.contains("\n  1 rule\n"), "{plain}");
        let document: Value = serde_json::from_str(&list(&[rule], Format::Json)).unwrap();
        assert_eq!(document[0]["looks_at"], "provider");
        let sarif: Value = serde_json::from_str(&list(&[], Format::Sarif)).unwrap();
        assert_eq!(sarif["runs"][0]["results"], json!([]));
    }
}
