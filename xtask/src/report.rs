//! What a person sees: steps as they begin, and a table at the end.

use anstyle::{AnsiColor, Style};
use std::borrow::BorrowMut;
use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const STRONG: Style = Style::new().bold();

/// Writes a line to standard output. If nobody reads it, nobody misses it.
pub(crate) fn say(text: &str) {
    let mut stdout = anstream::stdout();
    _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// The steps that were made, and how they went.
#[derive(Default)]
pub(crate) struct Report(Vec<Row>);

struct Row {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// How a step went.
pub(crate) enum Outcome {
    /// It went well; what there is to say about it.
    Passed(String),
    /// It failed, and why.
    Failed(String),
    /// It could not be made here, and what is missing.
    Skipped(String),
    /// Skipped too, and CI does without it.
    Excused(String),
}

impl Outcome {
    /// For a step that is a command of its own.
    pub(crate) fn into_result(self) -> Result<String, String> {
        match self {
            Self::Passed(told) => Ok(told),
            Self::Excused(told) => Ok(format!("skipped: {told}")),
            Self::Failed(told) | Self::Skipped(told) => Err(told),
        }
    }
}

/// How a check of our own went; what it found is said at once.
pub(crate) fn told(result: Result<String, String>) -> Outcome {
    match result {
        Ok(text) => Outcome::Passed(text),
        Err(text) => {
            say(&text);
            Outcome::Failed("see above".to_owned())
        }
    }
}

/// How a program went, whose output has been seen.
pub(crate) fn ran(mut command: impl BorrowMut<Command>) -> Outcome {
    match command.borrow_mut().status() {
        Ok(status) if status.success() => Outcome::Passed(String::new()),
        Ok(_) => Outcome::Failed("see above".to_owned()),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

impl Report {
    /// Makes a step: says that it begins, and keeps how it went.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        say(&format!(
            "\n{STRONG}{:>2}  {name}{STRONG:#}",
            self.0.len() + 1
        ));
        let began = Instant::now();
        let outcome = work();
        self.0.push(Row {
            name,
            outcome,
            took: began.elapsed(),
        });
    }

    pub(crate) fn failed(&self) -> usize {
        self.0
            .iter()
            .filter(|row| matches!(row.outcome, Outcome::Failed(_)))
            .count()
    }

    pub(crate) fn skipped(&self) -> usize {
        self.0
            .iter()
            .filter(|row| matches!(row.outcome, Outcome::Skipped(_)))
            .count()
    }

    pub(crate) fn excused(&self) -> usize {
        self.0
            .iter()
            .filter(|row| matches!(row.outcome, Outcome::Excused(_)))
            .count()
    }

    /// The table, at most 80 columns but for what a failed step has to say.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        for Row {
            name,
            outcome,
            took,
        } in &self.0
        {
            let (style, word, told) = match outcome {
                Outcome::Passed(told) => (GOOD, "passed ", told),
                Outcome::Failed(told) => (BAD, "FAILED ", told),
                Outcome::Skipped(told) | Outcome::Excused(told) => (WARNING, "skipped", told),
            };
            let seconds = took.as_secs_f64();
            table.push_str(&format!(
                "\n  {style}{word}{style:#}  {name:<24} {seconds:>7.1} s  {told}"
            ));
        }
        table
    }
}
