//! Patterns for the values of claims: `repo:my-org/*`.
//!
//! An asterisk stands behind a delimiter, so that a pattern for one name never fits a longer one:
//! `repo:my-org*` would fit `repo:my-org-evil/x`, and is refused. At the end it stands for the
//! whole rest, which must not be empty. Anywhere else it stands for one part, up to the next
//! delimiter.

use std::fmt;

/// A pattern: text, and asterisks behind delimiters. It compares with case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

/// The characters between names in a value, as GitHub, GitLab and Kubernetes write them.
const DELIMITERS: [char; 2] = ['/', ':'];

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// A text without an asterisk, and an asterisk at the start, behind anything but a delimiter,
    /// or before anything but a delimiter or the end.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut pieces = text.split('*').peekable();
        let mut count = 0;
        // An asterisk right behind a name would fit strangers' names: `repo:org*`, `repo:org-evil`.
        while let Some(piece) = pieces.next() {
            let is_last = pieces.peek().is_none();
            if count > 0 && !(piece.starts_with(DELIMITERS) || (is_last && piece.is_empty())) {
                return Err(PatternError);
            }
            if !is_last && !piece.ends_with(DELIMITERS) {
                return Err(PatternError);
            }
            count += 1;
        }
        // Without an asterisk it is a plain value, which compares whole.
        if count > 1 {
            Ok(Self(text.into()))
        } else {
            Err(PatternError)
        }
    }

    /// Whether a text fits.
    pub fn fits(&self, text: &str) -> bool {
        self.rest_of(text) == Some("")
    }

    /// What is left of a text behind the pattern; `None` if the text does not fit.
    fn rest_of<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut pieces = self.0.split('*').peekable();
        let mut rest = text.strip_prefix(pieces.next()?)?;
        while let Some(piece) = pieces.next() {
            // The last asterisk stands for all the rest, but never for nothing.
            if pieces.peek().is_none() && piece.is_empty() {
                return if rest.is_empty() { None } else { Some("") };
            }
            let end = rest.find(DELIMITERS)?;
            if end == 0 {
                return None;
            }
            rest = rest.get(end..)?.strip_prefix(piece)?;
        }
        Some(rest)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternError;

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text with `*` behind `/` or `:`, and before one of them or at the end")
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_fits_names_and_never_more_of_one() {
        for (pattern, fitting, others) in [
            (
                "repo:org/*",
                &[
                    "repo:org/app:ref:refs/heads/main",
                    "repo:org/app",
                    "repo:org/*",
                    "repo:org//",
                ][..],
                &[
                    "repo:org/",
                    "repo:org",
                    "repo:org-evil/app",
                    "repo:orgs/app",
                    "Repo:org/app",
                    "repo:ORG/app",
                    "xrepo:org/app",
                    "repo:evil/repo:org/app",
                    "repo%3Aorg/app",
                    "",
                ][..],
            ),
            (
                "repo:org/*:environment:prod",
                &["repo:org/app:environment:prod"],
                &[
                    "repo:org/app:environment:production",
                    "repo:org/app:environment:prod:x",
                    "repo:org/:environment:prod",
                    "repo:org/a/b:environment:prod",
                    "repo:org/a:pull_request:environment:prod",
                    "repo:org/app",
                ],
            ),
            (
                "system:serviceaccount:*:orders",
                &["system:serviceaccount:shop:orders"],
                &[
                    "system:serviceaccount:shop:x:orders",
                    "system:serviceaccount:shop:orders2",
                ],
            ),
            ("/*/b/*", &["/a/b/c/d"], &["/a/b/", "/a/c/b/d", "//b/c"]),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            assert!(fitting.iter().all(|text| pattern.fits(text)), "{pattern}");
            for text in others {
                assert!(!pattern.fits(text), "{pattern}: {text}");
            }
        }
    }

    #[test]
    fn an_asterisk_stands_behind_a_delimiter() {
        for text in [
            "",
            "*",
            "repo",
            "repo:org",
            "repo:org*",
            "*/x",
            "a*b",
            "repo:o*g/x",
            "repo:**",
            "repo:*x",
            "a/*b/c",
            "é*",
        ] {
            assert_eq!(Pattern::parse(text), Err(PatternError), "{text}");
        }
        assert_eq!(Pattern::parse("a/*").unwrap().as_str(), "a/*");
    }
}
