//! Counting: run, passed, waived. A suite ends by printing its totals.
//!
//! The lines `totals: `, `skipped: ` and `excused: ` go to standard output past the test runner,
//! which keeps what passing tests print to itself: `cargo xtask test` shows and counts them.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::Write as _;

/// The totals of one suite.
pub(crate) struct Tally {
    suite: &'static str,
    run: usize,
    waived: usize,
    failures: Vec<String>,
    waivers: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Waivers {
    waived: Vec<Waiver>,
}

#[derive(Deserialize)]
struct Waiver {
    suite: String,
    id: String,
    reason: String,
}

impl Tally {
    pub(crate) fn new(suite: &'static str) -> Self {
        let file: Waivers = toml::from_str(include_str!("../../waived.toml")).unwrap();
        assert!(
            file.waived
                .iter()
                .all(|waiver| !waiver.reason.is_empty()),
            "a waiver without a reason"
        );
        let waivers = file
            .waived
            .into_iter()
            .filter(|waiver| waiver.suite == suite)
            .map(|waiver| waiver.id)
            .collect();
        Self {
            suite,
            run: 0,
            waived: 0,
            failures: Vec::new(),
            waivers,
        }
    }

    /// Counts one case.
    pub(crate) fn count(&mut self, id: &str, passed: bool, detail: impl FnOnce() -> String) {
        self.run += 1;
        match (passed, self.waivers.remove(id)) {
            (true, false) => {}
            (false, true) => self.waived += 1,
            (false, false) => self.failures.push(format!("{id}: {}", detail())),
            (true, true) => self
                .failures
                .push(format!("{id}: its waiver is not needed any more")),
        }
    }

    /// How many were counted.
    pub(crate) fn run(&self) -> usize {
        self.run
    }

    /// Prints the totals; fails if there was a failure, or a waiver for nothing.
    pub(crate) fn finish(self, least: usize) {
        let passed = self.run - self.waived - self.failures.len();
        totals(self.suite, self.run, passed, self.waived);
        assert!(
            self.failures.is_empty(),
            "{}:\n  {}",
            self.suite,
            self.failures.join("\n  ")
        );
        assert!(
            self.waivers.is_empty(),
            "{}: waivers for nothing: {:?}",
            self.suite,
            self.waivers
        );
        assert!(self.run >= least, "{}: only {} cases", self.suite, self.run);
    }
}

/// The totals of a suite, in the one form.
pub(crate) fn totals(suite: &str, run: usize, passed: usize, waived: usize) {
    tell(&format!(
        "totals: {suite}: {run} run, {passed} passed, {waived} waived, 0 skipped"
    ));
}

/// A suite that could not run: in CI that is a failure.
pub(crate) fn skipped(why: &str) {
    tell(&format!("skipped: {why}"));
}

/// A suite that could not run, which CI does without: `conformance/README.md` says which ones these
/// are.
pub(crate) fn excused(why: &str) {
    tell(&format!("excused: {why}"));
}

/// A line for people.
pub(crate) fn tell(line: &str) {
    _ = std::io::stdout()
        .lock()
        .write_all(format!("{line}\n").as_bytes());
}
