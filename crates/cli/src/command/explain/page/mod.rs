//! The report for people.

mod checks;
mod token;

use super::columns::{ColumnPage, fit};
use super::report::{Conclusion, TokenReport};
use crate::output::{BAD, GOOD, STRONG, WARNING, paint};
use portcullis_core::OutageCode;
use portcullis_core::rejection::Code;
use portcullis_core::verify::Step;

/// The page of `portcullis explain`: how it ended and why, whose token it is, and the checks.
pub(crate) fn page(report: &TokenReport<'_>, width: usize, all: bool) -> String {
    let mut page = ColumnPage::new(width, LABELS);
    page.gap();
    let conclusion = report.conclusion();
    let (style, words) = match conclusion {
        Conclusion::Accepted => (GOOD, "accepted".to_owned()),
        Conclusion::Refused(step) => (BAD, format!("refused: {}", step.code)),
        Conclusion::Undecided(step) => (WARNING, format!("undecided: {}", step.code)),
        Conclusion::Unverified => (WARNING, "not verified".to_owned()),
    };
    let verdict = paint(style, &words);
    page.line(&format!("  {} {verdict}", paint(STRONG, "This token is")));
    if report.hint.is_some() || matches!(style, BAD | WARNING) && report.checks.is_some() {
        page.gap();
    }
    match conclusion {
        Conclusion::Refused(step) | Conclusion::Undecided(step) => add_reason(&mut page, step),
        Conclusion::Unverified | Conclusion::Accepted => {}
    }
    if let Some(hint) = report.hint {
        page.styled_row(STRONG, "hint", hint);
    }
    token::add(&mut page, report);
    // Without checks, the claims are all that there is to show.
    if all || report.checks.is_none() {
        token::add_members(&mut page, report);
    }
    let mut text = page.into_text();
    if let Some(checks) = report.checks {
        text.push_str(&checks::table(&checks.steps, width, all));
    }
    if report.checks.is_none() {
        if !report.proof.is_empty() {
            text.push_str(&checks::table(report.proof, width, all));
        }
        text.push_str(&verification(report, width));
    }
    text.push('\n');
    text
}

/// Wide enough for every label of a row.
const LABELS: usize = 9;

fn add_reason(page: &mut ColumnPage, step: &Step) {
    page.row("because", phrase(step.code));
    if !step.expected.is_empty() {
        page.row("expected", &step.expected);
    }
    if !step.found.is_empty() {
        page.row("found", &step.found);
    }
    page.styled_row(STRONG, "help", step.cure);
}

/// The phrase that a client gets with this code.
fn phrase(code: &str) -> &'static str {
    for known in Code::ALL {
        if known.as_str() == code {
            return known.entry().phrase;
        }
    }
    let mut outages = OutageCode::ALL.iter();
    let outage = outages.find(|known| known.as_str() == code);
    outage.map_or("it cannot be decided", |outage| outage.phrase())
}

/// How to verify a token that was not.
fn verification(report: &TokenReport<'_>, width: usize) -> String {
    let mut page = ColumnPage::new(width, LABELS);
    let gap = match report.gap {
        Some(gap) => format!("To verify it, name {gap}"),
        None => "To verify it".to_owned(),
    };
    match report.command {
        // From the token itself: a forger names an issuer of his own, hence the note.
        Some(command) => {
            page.heading(STRONG, &format!("{gap}:"));
            // As it is: `verification` lets no character through that needs an escape.
            page.code(command);
            let note =
                "Issuer and audience are those that the token names: see that they are yours.";
            page.line(&format!("  {}", fit(note, 2, width)));
        }
        // An empty input has nothing to verify: the hint says so.
        None if report.gap.is_some() && report.content.bytes > 0 => page.heading(STRONG, &gap),
        None => {}
    }
    page.into_text()
}
