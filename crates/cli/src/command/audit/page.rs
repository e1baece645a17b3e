//! For people: by group, worst first, the severity as a word, 80 columns.

use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, paint, wrap};
use anstyle::Style;
use portcullis_audit::report::{AuditSubject, Report, SubjectKind};
use portcullis_audit::{Finding, GROUPS, Severity, group_of};
use std::collections::BTreeSet;

const INDENT: usize = 11;
const TOLD: usize = INDENT + 9;

/// The whole report. Notes are told in short, unless everything is asked for.
pub(crate) fn page(report: &Report, verbose: bool) -> String {
    let mut page = String::new();
    for subject in report.subjects() {
        page.push_str(&format!(
            "\n  {} {}\n\n",
            paint(STRONG, "Audit of"),
            // A name comes from outside, and an escape sequence in it would steer the terminal.
            subject.name().escape_debug()
        ));
        for (name, told) in subject.facts() {
            page.push_str(&format!(
                "  {}{}\n",
                paint(QUIET, &format!("{name:<9}")),
                wrap(told, INDENT)
            ));
        }
        page.push_str(&findings(report, subject, verbose));
    }
    page.push_str(&list_waivers(report));
    page.push_str(&summary(report, verbose));
    page
}

fn findings(report: &Report, subject: &AuditSubject, verbose: bool) -> String {
    let mut page = String::new();
    let mut heading = "";
    let counted = subject
        .findings()
        .iter()
        .filter(|finding| report.waiver(finding).is_none());
    let mut counted: Vec<&Finding> = counted.collect();
    // Within a group the worst comes first; the groups stay in the order of the table.
    counted.sort_by_key(|finding| (place_of(finding), std::cmp::Reverse(finding.rule.severity)));
    for same in counted.chunk_by(|one, other| std::ptr::eq(one.rule, other.rule)) {
        let Some(first) = same.first() else { continue };
        let title = group_of(first.rule.id);
        if title != heading {
            page.push_str(&format!("\n  {}\n", paint(STRONG, title)));
            heading = title;
        }
        let short = first.rule.severity == Severity::Note && !verbose;
        page.push_str(&if short { brief(same) } else { full(same) });
    }
    page
}

fn place_of(finding: &Finding) -> usize {
    let title = group_of(finding.rule.id);
    GROUPS
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

/// The word of a severity, in its colour, in a column of its own.
pub(super) fn word(severity: Severity) -> String {
    paint(style_of(severity), &format!("{:<9}", severity.word()))
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
            format!("  {}{}\n", word(rule.severity), wrap(&text, INDENT))
        })
        .collect()
}

/// A line below a finding or a rule: a label, and a text that may take several lines.
pub(super) fn write_line(word: &str, text: &str) -> String {
    format!("{}{word:<9}{}\n", " ".repeat(INDENT), wrap(text, TOLD))
}

fn full(same: &[&Finding]) -> String {
    let Some(rule) = same.first().map(|first| first.rule) else {
        return String::new();
    };
    let mut page = format!(
        "  {}{}\n",
        word(rule.severity),
        paint(STRONG, &wrap(rule.title, INDENT))
    );
    for finding in same {
        page.push_str(&write_line("found", &evidence(finding)));
    }
    page.push_str(&write_line("cure", rule.cure));
    page.push_str(&paint(
        QUIET,
        &write_line("see", &format!("{} ({})", rule.section, rule.id)),
    ));
    page
}

fn list_waivers(report: &Report) -> String {
    let mut lines: Vec<String> = Vec::new();
    for finding in report.findings() {
        if let Some(reason) = report.waiver(finding) {
            let place = match &finding.place {
                Some(place) if place.file == finding.subject => place.to_string(),
                _ => finding.subject.escape_debug().to_string(),
            };
            let text = format!("{} of {place}: {reason}", finding.rule.id);
            lines.push(format!(
                "  {}{}\n",
                paint(QUIET, "ignored  "),
                wrap(&text, INDENT)
            ));
        }
    }
    // One waiver may cover many findings of a subject, and its reason is worth reading once.
    lines.dedup();
    for waiver in report.unused_waivers() {
        let text = format!("{waiver}: nothing to ignore");
        lines.push(format!(
            "  {}{}\n",
            paint(QUIET, "unused   "),
            wrap(&text, INDENT)
        ));
    }
    if lines.is_empty() {
        String::new()
    } else {
        format!("\n{}", lines.concat())
    }
}

fn summary(report: &Report, verbose: bool) -> String {
    let counts = Severity::ALL.map(|severity| {
        let number = blocks(report, severity);
        let mut text = format!(
            "{number} {}{}",
            severity.word(),
            if number == 1 { "" } else { "s" }
        );
        // What one rule found in several places is one block of the page.
        let places = report.count(severity);
        if places > number {
            text.push_str(&format!(" in {places} places"));
        }
        // In colour, `0 errors` would look like a failure.
        if number == 0 {
            text
        } else {
            paint(style_of(severity), &text)
        }
    });
    let verdict = if report.fails() {
        paint(BAD, "fails")
    } else {
        paint(GOOD, "passes")
    };
    let more = if verbose || report.count(Severity::Note) == 0 {
        ""
    } else {
        "; --verbose shows the cures of notes"
    };
    let unseen = format!(
        "Not examined: {}. `portcullis audit --list` shows every rule.",
        unseen(report)
    );
    format!(
        "\n  {}: {verdict}{more}\n  {}\n\n",
        counts.join(", "),
        paint(QUIET, &wrap(&unseen, 2))
    )
}

/// A verdict without its limits would be taken for proof that the provider, or the API, is safe.
fn unseen(report: &Report) -> &'static str {
    let kinds: Vec<SubjectKind> = report
        .subjects()
        .iter()
        .map(AuditSubject::kind)
        .collect();
    if kinds == [SubjectKind::Settings] {
        return "the issuers in the settings, since nobody was asked";
    }
    match kinds.first() {
        Some(SubjectKind::Resource { is_probed: false }) => {
            "how the API treats tokens, since it was not called (--probe does)"
        }
        Some(SubjectKind::Resource { is_probed: true }) => {
            "tokens that expired or are for another API, other methods, and other addresses"
        }
        Some(SubjectKind::Transmitter) => "TLS, and whether events come as the metadata says",
        Some(SubjectKind::Issuer | SubjectKind::Settings) | None => {
            "TLS before 1.2, redirect addresses, refresh tokens, and whether the provider does \
                what its metadata says"
        }
    }
}

/// How many blocks the page has for findings of this severity: one for each rule and subject.
fn blocks(report: &Report, severity: Severity) -> usize {
    let mut blocks = BTreeSet::new();
    for finding in report.findings() {
        if finding.rule.severity == severity && report.waiver(finding).is_none() {
            blocks.insert((&finding.subject, finding.rule.id));
        }
    }
    blocks.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_audit::report::Waiver;
    use portcullis_audit::{SettingsFile, examine_settings};

    const SETTINGS: &str = r#"
[[issuer]]
url = "https://idp.example"
audience = "api"
leeway = 300
[revocation]
danger_serve_without_store = true
store = "rediss://redis.example:6380"
[gateway]
listen = "0.0.0.0:8443"
upstream = "https://api.internal"
tls = { certificate = "/tls/gateway.crt", key = "/tls/gateway.key" }
"#;

    fn report(fail_from: Severity) -> Report {
        let file = "my settings.toml".as_ref();
        let settings = SettingsFile::read(file, SETTINGS.to_owned(), |_| None).unwrap();
        let findings = examine_settings(&settings);
        let subject = AuditSubject::settings(&settings, findings);
        let waiver = Waiver::parse("audit.ours_leeway=until May").unwrap();
        Report::new(vec![subject], Some(fail_from), vec![waiver])
    }

    #[test]
    fn people_get_words_in_eighty_columns() {
        let page = page(&report(Severity::Error), false);
        let plain = anstream::adapter::strip_str(&page).to_string();
        for text in [
            "Audit of my settings.toml",
            "  settings 1 issuer, 0 routes\n",
            "  Our settings: issuers\n",
            "  warning  a setting that loosens security is switched on\n",
            "found    my settings.toml:7: revocation.danger_serve_without_store:\n",
            "(audit.ours_danger)\n",
            "  ignored  audit.ours_leeway of my settings.toml:5: issuer[0].leeway: until May\n",
            "0 errors, ",
            ": passes; --verbose",
        ] {
            assert!(plain.contains(text), "{text}\n{plain}");
        }
        let widest = plain.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{plain}");
    }

    #[test]
    fn the_sum_counts_findings_and_not_their_places() {
        let settings = SETTINGS.replace("leeway = 300", "danger_plain_http = true");
        let file = "my settings.toml".as_ref();
        let settings = SettingsFile::read(file, settings, |_| None).unwrap();
        let findings = examine_settings(&settings);
        let places = findings
            .iter()
            .filter(|it| it.rule.id == "audit.ours_danger");
        assert_eq!(places.count(), 2);
        let subject = AuditSubject::settings(&settings, findings);
        let subject = subject.keep(|finding| finding.rule.id == "audit.ours_danger");
        let page = page(&Report::new(vec![subject], None, Vec::new()), false);
        let plain = anstream::adapter::strip_str(&page).to_string();
        assert!(plain.contains("1 warning in 2 places"), "{plain}");
    }

    #[test]
    fn notes_have_their_cures_where_everything_is_asked_for() {
        let page = page(&report(Severity::Note), true);
        let plain = anstream::adapter::strip_str(&page).to_string();
        assert!(
            plain.contains("  note     ") && plain.contains("fails"),
            "{plain}"
        );
        let notes = plain.split("  note     ").skip(1);
        for note in notes {
            assert!(note.contains("cure     "), "{note}");
        }
    }
}
