//! For people: by group, worst first, the severity as a word, 80 columns.

use super::{Report, Subject};
use crate::audit::{Finding, Severity, title_of};
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, styled, wrapped};
use anstyle::Style;

const INDENT: usize = 11;
const TOLD: usize = INDENT + 9;

/// The whole report. Notes are told in short, unless everything is asked for.
pub(crate) fn page(report: &Report, verbose: bool) -> String {
    let mut page = String::new();
    for subject in &report.subjects {
        page.push_str(&format!(
            "\n  {} {}\n\n",
            styled(STRONG, "Audit of"),
            subject.name.escape_debug()
        ));
        for (name, told) in &subject.facts {
            page.push_str(&format!(
                "  {}{}\n",
                styled(QUIET, &format!("{name:<9}")),
                wrapped(told, INDENT)
            ));
        }
        page.push_str(&findings(report, subject, verbose));
    }
    page.push_str(&ignored(report));
    page.push_str(&summary(report, verbose));
    page
}

fn findings(report: &Report, subject: &Subject, verbose: bool) -> String {
    let mut page = String::new();
    let mut heading = "";
    let counted = subject
        .findings
        .iter()
        .filter(|finding| report.reason_to_ignore(finding).is_none());
    let mut counted: Vec<&Finding> = counted.collect();
    // Within a group the worst comes first; the groups stay in the order of the table.
    counted.sort_by_key(|finding| (place_of(finding), std::cmp::Reverse(finding.rule.severity)));
    for same in counted.chunk_by(|one, other| std::ptr::eq(one.rule, other.rule)) {
        let Some(first) = same.first() else { continue };
        let title = title_of(first.rule.id);
        if title != heading {
            page.push_str(&format!("\n  {}\n", styled(STRONG, title)));
            heading = title;
        }
        let short = first.rule.severity == Severity::Note && !verbose;
        page.push_str(&if short { brief(same) } else { full(same) });
    }
    page
}

fn place_of(finding: &Finding) -> usize {
    let title = title_of(finding.rule.id);
    super::super::rules::GROUPS
        .iter()
        .position(|(name, _)| *name == title)
        .unwrap_or_default()
}

const fn style_of(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => WARNING,
        Severity::Note => QUIET,
    }
}

fn word(severity: Severity) -> String {
    styled(style_of(severity), &format!("{:<9}", severity.word()))
}

/// What was found, and in settings where. Where an issuer stands in them is told at its head.
fn evidence(finding: &Finding) -> String {
    match finding
        .place
        .as_ref()
        .filter(|place| place.file == finding.subject)
    {
        None => finding.evidence.clone(),
        Some(place) => format!("{place}: {}", finding.evidence),
    }
}

fn brief(same: &[&Finding]) -> String {
    same.iter()
        .map(|finding| {
            let rule = finding.rule;
            let text = format!("{}: {} ({})", rule.title, evidence(finding), rule.id);
            format!("  {}{}\n", word(rule.severity), wrapped(&text, INDENT))
        })
        .collect()
}

fn full(same: &[&Finding]) -> String {
    let Some(rule) = same.first().map(|first| first.rule) else {
        return String::new();
    };
    let told = |word: &str, text: &str| {
        format!("{}{word:<9}{}\n", " ".repeat(INDENT), wrapped(text, TOLD))
    };
    let mut page = format!(
        "  {}{}\n",
        word(rule.severity),
        styled(STRONG, &wrapped(rule.title, INDENT))
    );
    for finding in same {
        page.push_str(&told("found", &evidence(finding)));
    }
    page.push_str(&told("cure", rule.cure));
    page.push_str(&styled(
        QUIET,
        &told("see", &format!("{} ({})", rule.section, rule.id)),
    ));
    page
}

fn ignored(report: &Report) -> String {
    let mut lines: Vec<String> = Vec::new();
    for finding in report.findings() {
        if let Some(reason) = report.reason_to_ignore(finding) {
            let text = format!("{} of {}: {}", finding.rule.id, finding.subject, reason);
            lines.push(format!(
                "  {}{}\n",
                styled(QUIET, "ignored  "),
                wrapped(&text, INDENT)
            ));
        }
    }
    lines.dedup();
    if lines.is_empty() {
        String::new()
    } else {
        format!("\n{}", lines.concat())
    }
}

fn summary(report: &Report, verbose: bool) -> String {
    let counts = Severity::ALL.map(|severity| {
        let number = report.count(severity);
        let text = format!(
            "{number} {}{}",
            severity.word(),
            if number == 1 { "" } else { "s" }
        );
        if number == 0 {
            text
        } else {
            styled(style_of(severity), &text)
        }
    });
    let verdict = if report.fails() {
        styled(BAD, "fails")
    } else {
        styled(GOOD, "passes")
    };
    let more = if verbose || report.count(Severity::Note) == 0 {
        ""
    } else {
        "; --verbose tells the notes' cures"
    };
    let unseen = "Not examined: TLS before 1.2, redirect addresses, refresh tokens, and whether \
        the provider does what \
                  its metadata says. Every rule is in docs/audit.md.";
    format!(
        "\n  {}: {verdict}{more}\n  {}\n\n",
        counts.join(", "),
        styled(QUIET, &wrapped(unseen, 2))
    )
}
