//! The same table, run to the end, for a person to read.

use super::Verifier;
use super::checks::{CHECKS, Stage};
use crate::jose::UnverifiedToken;
use crate::rejection::Code;
use crate::token::NumericDate;

/// One check and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was checked.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// The code of the refusal that this step stands for.
    pub code: Code,
    /// What would have passed.
    pub expected: String,
    /// What was there. Text from the token is escaped and cut.
    pub found: String,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Pass,
    /// It failed: the token is refused here, if not before.
    Fail,
    /// It does not apply, or an earlier failure left nothing to check.
    Skipped,
}

impl Verifier {
    /// Every check of the table that runs before the signature, or after it, with its outcome.
    pub fn explain(&self, token: &UnverifiedToken<'_>, now: NumericDate, after_signature: bool) -> Vec<Step> {
        let examination = self.examine(token.header(), token.unverified_claims(), now);
        CHECKS
            .iter()
            .filter(|check| (check.stage == Stage::AfterSignature) == after_signature)
            .map(|check| Step {
                name: check.name,
                outcome: match (check.result)(&examination) {
                    Some(true) => Outcome::Pass,
                    Some(false) => Outcome::Fail,
                    None => Outcome::Skipped,
                },
                code: check.code,
                expected: (check.expected)(&examination),
                found: (check.found)(&examination),
            })
            .collect()
    }
}
