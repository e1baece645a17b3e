//! Faults of settings: found at start, all at once, each with its place, its reason and its help.

mod encrypted_key;
mod faults;
mod placeholder;
mod secret;

pub use encrypted_key::{DECRYPT, is_encrypted_key};
pub use faults::Faults;
pub use placeholder::blank;
pub use secret::{is_secret, without_password};

use std::fmt;
use std::ops::Range;

/// The longest part of a value that a fault repeats, in characters.
const LONGEST_VALUE: usize = 120;

/// One fault in the settings.
///
/// Its message is a sentence: `expected X, found Y`, or what is wrong. It never repeats a secret.
///
/// ```
/// # use portcullis_core::ConfigError;
/// let fault = ConfigError::expected("route[0].path", "a path that begins with \"/\"")
///     .found("admin")
///     .help("write `/admin`");
/// assert_eq!(
///     fault.to_string(),
///     "route[0].path: expected a path that begins with \"/\", found \"admin\"\n    \
///      help: write `/admin`"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Parts>);

// Boxed: a `Result` with a fault in it stays small for the many readers that pass one on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    place: String,
    line: Option<usize>,
    span: Option<Range<usize>>,
    problem: ConfigProblem,
    help: String,
    depends_on: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ConfigProblem {
    Expected { expectation: String, found: String },
    Wrong(String),
}

impl ConfigProblem {
    fn wrong(problem: &str) -> Self {
        // The reason of a parser may repeat the URL that it was given.
        Self::Wrong(without_password(problem))
    }
}

impl ConfigError {
    /// A fault, its problem and its help.
    pub fn new(
        place: impl Into<String>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::wrong(place, problem).help(help)
    }

    /// Begins a fault: something else was expected at this place.
    pub fn expected(
        place: impl Into<String>,
        expectation: impl Into<String>,
    ) -> Expectation<NoList> {
        Expectation::new(NoList, place.into(), expectation.into())
    }

    /// Begins a fault of which the problem is known, as a sentence without a full stop.
    pub fn wrong(place: impl Into<String>, problem: impl Into<String>) -> Diagnosis<NoList> {
        Diagnosis::new(NoList, place.into(), ConfigProblem::wrong(&problem.into()))
    }

    /// The same fault, with the bytes of the document that are at fault.
    #[must_use]
    pub fn with_span(mut self, document: &str, span: Range<usize>) -> Self {
        let before = document.get(..span.start).unwrap_or(document);
        self.0.line = Some(1 + before.matches('\n').count());
        self.0.span = Some(span);
        self
    }

    /// The same fault at another place, such as the variable that a setting was read from.
    #[must_use]
    pub fn with_place(mut self, place: impl Into<String>) -> Self {
        self.0.place = place.into();
        self
    }

    /// The same fault, its texts rewritten: to take out what must not be shown.
    #[must_use]
    pub fn rewrite(mut self, rewrite: impl Fn(&str) -> String) -> Self {
        self.0.problem = match &self.0.problem {
            ConfigProblem::Wrong(problem) => ConfigProblem::Wrong(rewrite(problem)),
            ConfigProblem::Expected { expectation, found } => ConfigProblem::Expected {
                expectation: rewrite(expectation),
                found: rewrite(found),
            },
        };
        self.0.help = rewrite(&self.0.help);
        self
    }

    /// The setting, variable or file at fault.
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// The line of the document, from 1, where it is known.
    pub fn line(&self) -> Option<usize> {
        self.0.line
    }

    /// The bytes of the document that are at fault, where they are known.
    pub fn span(&self) -> Option<Range<usize>> {
        self.0.span.clone()
    }

    /// What is wrong: `expected X, found Y`, or a sentence of its own.
    pub fn message(&self) -> String {
        match &self.0.problem {
            ConfigProblem::Wrong(problem) => problem.clone(),
            ConfigProblem::Expected { expectation, found } => {
                format!("expected {expectation}, found {}", shorten(found))
            }
        }
    }

    /// What was expected.
    pub fn problem(&self) -> String {
        self.message()
    }

    /// How to put it right.
    pub fn help(&self) -> &str {
        &self.0.help
    }

    /// Whether the fault may only follow from a place that could not be read: its own, or another
    /// that it was judged by.
    pub fn follows_from(&self, unread: &str) -> bool {
        if is_within(self.place(), unread) || is_within(unread, self.place()) {
            return true;
        }
        self.0
            .depends_on
            .iter()
            .any(|place| match place.strip_suffix(".*") {
                Some(table) => is_within(table, unread) || is_within(unread, table),
                None => is_within(place, unread),
            })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.place())?;
        if let Some(line) = self.line() {
            write!(f, " (line {line})")?;
        }
        write!(f, ": {}\n    help: {}", self.message(), self.help())
    }
}

impl std::error::Error for ConfigError {}

/// Whether a place is another one, or stands within it. Everything is within the empty place.
fn is_within(inner: &str, outer: &str) -> bool {
    match inner.strip_prefix(outer) {
        Some(rest) => outer.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']),
        None => false,
    }
}

/// The first characters of a long value.
fn shorten(value: &str) -> String {
    match value.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}...", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// Where a finished fault goes: back to the caller, or into a list.
pub trait Sink {
    /// What remains once the fault is finished.
    type Output;

    /// The whole place of a member.
    fn place(&self, member: &str) -> String;

    /// Takes the finished fault.
    fn take(self, fault: ConfigError) -> Self::Output;
}

/// No list: the finished fault is returned.
#[derive(Clone, Copy, Debug)]
pub struct NoList;

impl Sink for NoList {
    type Output = ConfigError;

    fn place(&self, member: &str) -> String {
        member.to_owned()
    }

    fn take(self, fault: ConfigError) -> ConfigError {
        fault
    }
}

/// A fault of which is said what was expected, but not yet what was found.
#[must_use = "a fault is told once `help` has finished it"]
#[derive(Clone, Debug)]
pub struct Expectation<S> {
    sink: S,
    place: String,
    expectation: String,
}

impl<S: Sink> Expectation<S> {
    fn new(sink: S, place: String, expectation: String) -> Self {
        Self {
            sink,
            place,
            expectation,
        }
    }

    /// The value that was written, which is shown. Never a secret.
    pub fn found(self, value: impl fmt::Debug) -> Diagnosis<S> {
        self.found_as(without_password(&format!("{value:?}")))
    }

    /// What was found, in words: `an empty list`, or a secret's kind.
    pub fn found_as(self, found: impl Into<String>) -> Diagnosis<S> {
        let problem = ConfigProblem::Expected {
            expectation: self.expectation,
            found: found.into(),
        };
        Diagnosis::new(self.sink, self.place, problem)
    }

    /// The setting is not there.
    pub fn found_nothing(self) -> Diagnosis<S> {
        self.found_as("nothing")
    }
}

/// A fault that lacks its help.
#[must_use = "a fault is told once `help` has finished it"]
#[derive(Clone, Debug)]
pub struct Diagnosis<S> {
    sink: S,
    fault: ConfigError,
}

impl<S: Sink> Diagnosis<S> {
    fn new(sink: S, place: String, problem: ConfigProblem) -> Self {
        let fault = ConfigError(Box::new(Parts {
            place,
            line: None,
            span: None,
            problem,
            help: String::new(),
            depends_on: Vec::new(),
        }));
        Self { sink, fault }
    }

    /// Names other members that it was judged by: if one cannot be read, the fault is not told.
    /// `tls` is the table itself, `tls.*` whatever stands in it as well.
    pub fn given(mut self, members: &[&str]) -> Self {
        for member in members {
            let place = self.sink.place(member);
            self.fault.0.depends_on.push(place);
        }
        self
    }

    /// The same for settings elsewhere, by their whole places.
    pub fn given_elsewhere(mut self, places: &[&str]) -> Self {
        for place in places {
            self.fault.0.depends_on.push((*place).to_owned());
        }
        self
    }

    /// Says how to put it right, which finishes the fault.
    pub fn help(mut self, help: impl Into<String>) -> S::Output {
        self.fault.0.help = help.into();
        self.sink.take(self.fault)
    }
}

/// All faults in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The faults, if there are any.
    ///
    /// # Errors
    ///
    /// All of them, when the list is not empty.
    pub fn check(faults: Vec<ConfigError>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self(faults))
        }
    }

    /// The same number of faults, each as `change` returns it.
    #[must_use]
    pub fn map(self, change: impl FnMut(ConfigError) -> ConfigError) -> Self {
        Self(self.0.into_iter().map(change).collect())
    }

    /// The faults, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }

    /// How many there are, in words: `1 fault`, `7 faults`.
    pub fn count(&self) -> String {
        match self.0.len() {
            1 => "1 fault".to_owned(),
            many => format!("{many} faults"),
        }
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::vec::IntoIter<ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(fault: ConfigError) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in the settings:", self.count())?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_place_expectation_finding_and_help() {
        let fault = ConfigError::expected("issuer[0].url", "an https address")
            .found("localhost:3000")
            .help("write one");
        assert_eq!(
            (fault.place(), fault.message().as_str(), fault.help()),
            (
                "issuer[0].url",
                "expected an https address, found \"localhost:3000\"",
                "write one"
            )
        );
        assert_eq!(
            fault
                .clone()
                .with_span("a\n\nb = 1\n", 3..4)
                .to_string(),
            "issuer[0].url (line 3): expected an https address, found \"localhost:3000\"\n    \
             help: write one"
        );
        let one = ConfigErrors::from(fault.clone());
        assert!(
            one.to_string()
                .starts_with("1 fault in the settings:\n  issuer[0].url")
        );
        let two = ConfigErrors::check(vec![fault.clone(), fault]).unwrap_err();
        assert!(
            two.to_string()
                .starts_with("2 faults in the settings:")
        );
        assert_eq!(two.iter().count(), 2);
        assert_eq!(ConfigErrors::check(Vec::new()), Ok(()));
    }

    #[test]
    fn values_of_any_kind_are_shown_as_written() {
        let message = |value: &dyn fmt::Debug| {
            let fault = ConfigError::expected("x", "y").found(value).help("z");
            fault.message()
        };
        assert_eq!(message(&7), "expected y, found 7");
        assert_eq!(message(&"a\"b"), "expected y, found \"a\\\"b\"");
        let long = message(&"x".repeat(1_000));
        assert!(long.len() < 200 && long.ends_with("..."), "{long}");
    }

    #[test]
    fn the_password_of_a_url_is_never_shown() {
        let fault = ConfigError::expected("x", "y").found("https://user:hunter2@idp.example");
        assert_eq!(
            fault.help("z").message(),
            "expected y, found \"https://***@idp.example\""
        );
    }
}
