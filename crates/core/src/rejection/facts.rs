//! The facts of a refusal, for the operator's log.

use std::borrow::Cow;
use std::fmt;

/// What was expected, and what was found instead.
///
/// Text that comes from a token is escaped and cut by [`quote`] before it gets here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    expected: Cow<'static, str>,
    found: Cow<'static, str>,
}

impl Facts {
    /// Facts of a refusal.
    pub fn new(
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// What would have passed.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What was there.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// Whether there are no facts.
    pub fn is_empty(&self) -> bool {
        self.expected.is_empty() && self.found.is_empty()
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.expected, &*self.found) {
            ("", "") => f.write_str("none"),
            (expected, "") => write!(f, "expected {expected}"),
            ("", found) => write!(f, "found {found}"),
            (expected, found) => write!(f, "expected {expected}, found {found}"),
        }
    }
}

/// A text from outside for a log line: quoted, escaped, and cut after 80 characters.
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    // Line breaks would let a token write log lines of its own, escape codes steer a terminal.
    let cut: String = text
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    let mark = if text.chars().nth(LONGEST).is_some() {
        "..."
    } else {
        ""
    };
    format!("`{cut}{mark}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_there_as_soon_as_one_is() {
        assert!(Facts::default().is_empty());
        assert!(!Facts::new("a", "").is_empty() && !Facts::new("", "b").is_empty());
        let told =
            [("", ""), ("a", ""), ("", "b"), ("a", "b")].map(|(a, b)| Facts::new(a, b).to_string());
        assert_eq!(
            told,
            ["none", "expected a", "found b", "expected a, found b"]
        );
    }

    #[test]
    fn foreign_text_is_escaped_and_cut() {
        assert_eq!(quote("a\r\nb\u{202e}"), "`a\\r\\nb\\u{202e}`");
        assert_eq!(quote(&"x".repeat(500)).len(), 80 + 2 + 3);
    }
}
