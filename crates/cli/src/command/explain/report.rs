//! What is shown about a token, wherever it came from: what it says, its checks, and their end.

use super::input::{InputPlace, SourceForm};
use portcullis_core::token::NumericDate;
use portcullis_core::verify::{Outcome, Step};
use portcullis_resource_server::{Explanation, TokenContent};

/// All that a page or a document shows about a token.
#[derive(Debug)]
pub(crate) struct TokenReport<'r> {
    /// How the token was handed in.
    pub(crate) source: TokenSource<'r>,
    /// What it says.
    pub(crate) content: &'r TokenContent,
    /// The checks, if any were made.
    pub(crate) checks: Option<&'r Explanation>,
    /// Without them, the checks of what its request showed beside it.
    pub(crate) proof: &'r [Step],
    /// The usual mistake that the token shows.
    pub(crate) hint: Option<&'r str>,
    /// What is missing to make them.
    pub(crate) gap: Option<&'r str>,
    /// The command that makes them.
    pub(crate) command: Option<&'r str>,
    /// The time by which dates are told.
    pub(crate) now: NumericDate,
}

/// How a token was handed in.
#[derive(Debug)]
pub(crate) struct TokenSource<'r> {
    pub(crate) place: &'r InputPlace,
    pub(crate) form: SourceForm,
    pub(crate) notes: &'r [String],
}

/// How the checks ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Conclusion<'r> {
    Accepted,
    Refused(&'r Step),
    /// An outage left it open.
    Undecided(&'r Step),
    /// There were no checks.
    Unverified,
}

impl<'r> TokenReport<'r> {
    pub(crate) fn conclusion(&self) -> Conclusion<'r> {
        let Some(checks) = self.checks else {
            return Conclusion::Unverified;
        };
        match checks.first_obstacle() {
            None => Conclusion::Accepted,
            Some(step) if step.outcome == Outcome::Unknown => Conclusion::Undecided(step),
            Some(step) => Conclusion::Refused(step),
        }
    }

    /// Whether the issuer vouches for what the token says.
    pub(crate) fn is_authentic(&self) -> bool {
        self.checks.is_some_and(Explanation::is_authentic)
    }
}

impl Conclusion<'_> {
    /// The word for it in JSON. It never changes.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Undecided(_) => "undecided",
            Self::Unverified => "unverified",
        }
    }
}
