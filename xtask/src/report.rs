//! What a person sees: steps as they begin, and a table at the end.

use anstyle::{AnsiColor, Style};
use std::borrow::BorrowMut;
use std::cell::RefCell;
use std::io::Write as _;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const STRONG: Style = Style::new().bold();

thread_local! {
    /// What the steps of this thread have to say, if that waits for their end.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does work, and keeps what it has to say.
fn keep<T>(work: impl FnOnce() -> T) -> (T, String) {
    KEPT.set(Some(String::new()));
    let done = work();
    (done, KEPT.take().unwrap_or_default())
}

/// Whether what this thread says is kept; then this is.
fn is_kept(text: &str) -> bool {
    KEPT.with_borrow_mut(|kept| match kept {
        Some(kept) => {
            kept.push_str(text);
            kept.push('\n');
            true
        }
        None => false,
    })
}

/// Writes a line to standard output. If nobody reads it, nobody misses it.
pub(crate) fn say(text: &str) {
    if is_kept(text) {
        return;
    }
    let mut stdout = anstream::stdout();
    _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// The steps that were made, and how they went.
#[derive(Default)]
pub(crate) struct Report(Rows);

/// Steps, as they come in the table.
#[derive(Default)]
pub(crate) struct Rows(Vec<Row>);

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
    /// How it looks, and what it is called: a word of seven letters.
    fn word(&self) -> (Style, &'static str) {
        match self {
            Self::Passed(_) => (GOOD, "passed "),
            Self::Failed(_) => (BAD, "FAILED "),
            Self::Skipped(_) | Self::Excused(_) => (WARNING, "skipped"),
        }
    }

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
    let command = command.borrow_mut();
    let status = if is_kept("") {
        command.output().map(|output| {
            say(&String::from_utf8_lossy(&output.stdout));
            say(&String::from_utf8_lossy(&output.stderr));
            output.status
        })
    } else {
        command.status()
    };
    match status {
        Ok(status) if status.success() => Outcome::Passed(String::new()),
        Ok(_) => Outcome::Failed("see above".to_owned()),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

impl Rows {
    /// Makes a step, and keeps how it went.
    pub(crate) fn time(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        let began = Instant::now();
        let outcome = work();
        self.0.push(Row {
            name,
            outcome,
            took: began.elapsed(),
        });
    }

    /// Makes a step beside those of another thread: it says in one line that it ended, and if it
    /// failed, what it had to say.
    pub(crate) fn time_beside(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        let mut told = String::new();
        self.time(name, || {
            let (outcome, kept) = keep(work);
            told = kept;
            outcome
        });
        let Some(Row { outcome, took, .. }) = self.0.last() else {
            return;
        };
        let (style, word) = outcome.word();
        let seconds = took.as_secs_f64();
        if matches!(outcome, Outcome::Failed(_)) {
            say(&format!("\n{name}:\n{}", told.trim()));
        }
        say(&format!(
            "    beside: {name} {style}{}{style:#}, {seconds:.1} s",
            word.trim()
        ));
    }
}

impl Report {
    /// Makes a step: says that it begins, and keeps how it went.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        let number = self.0.0.len() + 1;
        say(&format!("\n{STRONG}{number:>2}  {name}{STRONG:#}"));
        self.0.time(name, work);
    }

    /// Waits for steps that were made beside these, and keeps how they went.
    pub(crate) fn join<T: Default>(
        &mut self,
        name: &'static str,
        beside: JoinHandle<(T, Rows)>,
    ) -> T {
        say(&format!("\n{STRONG}    {name}{STRONG:#}"));
        match beside.join() {
            Ok((found, rows)) => {
                self.0.0.extend(rows.0);
                found
            }
            Err(_) => {
                self.step(name, || Outcome::Failed("it panicked".to_owned()));
                T::default()
            }
        }
    }

    pub(crate) fn failed(&self) -> usize {
        self.0
            .0
            .iter()
            .filter(|row| matches!(row.outcome, Outcome::Failed(_)))
            .count()
    }

    pub(crate) fn skipped(&self) -> usize {
        self.0
            .0
            .iter()
            .filter(|row| matches!(row.outcome, Outcome::Skipped(_)))
            .count()
    }

    pub(crate) fn excused(&self) -> usize {
        self.0
            .0
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
        } in &self.0.0
        {
            let (style, word) = outcome.word();
            let (Outcome::Passed(told)
            | Outcome::Failed(told)
            | Outcome::Skipped(told)
            | Outcome::Excused(told)) = outcome;
            let seconds = took.as_secs_f64();
            table.push_str(&format!(
                "\n  {style}{word}{style:#}  {name:<24} {seconds:>7.1} s  {told}"
            ));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_beside_others_says_is_kept() {
        let (outcome, kept) = keep(|| {
            say("said");
            ran(Command::new("rustc").arg("--version"))
        });
        assert!(matches!(outcome, Outcome::Passed(_)));
        assert!(kept.starts_with("said\n"), "{kept}");
        assert!(kept.contains("\nrustc "), "{kept}");
        assert!(!is_kept("said later"));
    }

    #[test]
    fn a_step_beside_others_comes_in_the_table_as_they_do() {
        let steps = std::thread::spawn(|| {
            let mut rows = Rows::default();
            rows.time_beside("one", || Outcome::Passed("well".to_owned()));
            rows.time_beside("two", || Outcome::Failed("badly".to_owned()));
            ((), rows)
        });
        let mut report = Report::default();
        report.join("what was made meanwhile", steps);
        assert_eq!((report.failed(), report.skipped()), (1, 0));
        let table = report.table();
        assert!(table.contains("one") && table.contains("badly"), "{table}");
        let panics: JoinHandle<((), Rows)> = std::thread::spawn(|| panic!("of a step"));
        report.join("a panic", panics);
        assert_eq!(report.failed(), 2);
    }
}
