//! The table of the checks: each with its outcome. Those that say nothing are folded.

use super::super::columns::fit;
use crate::output::{BAD, GOOD, QUIET, WARNING, paint};
use portcullis_core::verify::{Outcome, Step};

/// The checks as lines. Without `all`, those that were skipped are only counted.
pub(super) fn table(steps: &[Step], width: usize, all: bool) -> String {
    let shown: Vec<&Step> = steps
        .iter()
        .filter(|step| all || step.outcome != Outcome::Skipped)
        .collect();
    let names = shown.iter().map(|step| step.name.len());
    let names = names.max().unwrap_or_default();
    let mut table = "\n".to_owned();
    for step in &shown {
        table.push_str(&line(step, names, width));
    }
    // After the first failure nothing is reached: twenty such lines would hide it.
    let folded = steps.len() - shown.len();
    if folded > 0 {
        let noun = if folded == 1 {
            "check does"
        } else {
            "checks do"
        };
        let note = format!("{folded} more {noun} not apply, or were not reached: see --all");
        table.push_str(&format!("  {}\n", paint(QUIET, &format!("--  {note}"))));
    }
    table
}

fn line(step: &Step, names: usize, width: usize) -> String {
    let (mark, style) = match step.outcome {
        Outcome::Pass => ("ok", GOOD),
        Outcome::Fail => ("no", BAD),
        Outcome::Skipped => ("--", QUIET),
        _ => ("??", WARNING),
    };
    // Two columns of margin, the mark, two of space, the name, and two of space.
    let indent = 2 + 2 + 2 + names + 2;
    let text = match step.outcome {
        Outcome::Pass => fit(&step.found, indent, width),
        Outcome::Skipped => paint(QUIET, &fit(&step.found, indent, width)),
        _ => {
            let expected = detail("expected", &step.expected, indent, width);
            let found = detail("found", &step.found, indent, width);
            format!("{expected}\n{:indent$}{found}", "")
        }
    };
    // A word and not only a colour: a log or a colour-blind reader has the word alone.
    let mark = paint(style, mark);
    format!("  {mark}  {:<names$}  {text}\n", step.name)
}

fn detail(label: &str, text: &str, indent: usize, width: usize) -> String {
    const LABEL: usize = 9;
    format!("{label:<LABEL$}{}", fit(text, indent + LABEL, width))
}
