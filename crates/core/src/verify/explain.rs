//! The same table, run to the end, for a person to read.

use super::Verifier;
use super::checks::{CHECKS, Check, Stage};
use super::verifier::Examination;
use crate::jose::{UnverifiedToken, VerifyingKey};
use crate::rejection::{Code, Rejection};
use crate::token::{Claims, NumericDate};

/// One check and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was checked.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// The code of the refusal, or of the outage, that this step stands for.
    pub code: &'static str,
    /// What somebody can do about it.
    pub cure: &'static str,
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
    /// It does not apply, or what it needs is missing.
    Skipped,
    /// It could not be made: an outage.
    Unknown,
}

impl Step {
    /// A step outside the table, with its outcome, and nothing to tell yet.
    pub fn new(name: &'static str, outcome: Outcome, code: Code) -> Self {
        let entry = code.entry();
        let (expected, found) = (String::new(), String::new());
        Self {
            name,
            outcome,
            code: entry.code,
            cure: entry.cure,
            expected,
            found,
        }
    }

    /// A step outside the table that failed with this refusal.
    pub fn failed(name: &'static str, rejection: &Rejection) -> Self {
        let facts = rejection.facts();
        let (expected, found) = (facts.expected().to_owned(), facts.found().to_owned());
        Self {
            expected,
            found,
            ..Self::new(name, Outcome::Fail, rejection.code())
        }
    }

    /// A step that an earlier failure left nothing to do.
    pub fn not_reached(name: &'static str, code: Code) -> Self {
        Self::new(name, Outcome::Skipped, code).telling("", "not reached")
    }

    /// The same step with what would have passed, and what was there.
    #[must_use]
    pub fn telling(self, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
            ..self
        }
    }
}

impl Verifier {
    /// The rows of the table that run before the signature, each with its outcome.
    pub fn explain_screening(&self, token: &UnverifiedToken<'_>, now: NumericDate) -> Vec<Step> {
        let examination = self.examine(Some(token.header()), token.unverified_claims(), now);
        rows(false).map(|check| step(check, &examination)).collect()
    }

    /// The rows of the table that run after the signature, each with its outcome, and the key that
    /// signed if one did.
    pub fn explain_rest(
        &self,
        token: &UnverifiedToken<'_>,
        key: Option<&VerifyingKey>,
        now: NumericDate,
    ) -> Vec<Step> {
        let examination = self.examine(Some(token.header()), token.unverified_claims(), now);
        let examination = Examination {
            key_issuer: key.and_then(VerifyingKey::issuer),
            ..examination
        };
        rows(true).map(|check| step(check, &examination)).collect()
    }

    /// The whole table over what the issuer says about a token that is not a JWT, each row with its
    /// outcome.
    pub fn explain_answer(&self, claims: &Claims, now: NumericDate) -> Vec<Step> {
        let examination = self.examine(None, claims, now);
        rows(false)
            .chain(rows(true))
            .map(|check| step(check, &examination))
            .collect()
    }

    /// The same rows as skipped steps, for a token that did not get that far.
    pub fn explain_skipped(after_signature: bool) -> Vec<Step> {
        rows(after_signature)
            .map(|check| Step::not_reached(check.name, check.code))
            .collect()
    }
}

fn rows(after_signature: bool) -> impl Iterator<Item = &'static Check> {
    CHECKS
        .iter()
        .filter(move |check| (check.stage == Stage::AfterSignature) == after_signature)
}

fn step(check: &Check, examination: &Examination<'_>) -> Step {
    let step = |outcome| Step::new(check.name, outcome, check.code);
    let (expected, found) = (check.expected, check.found);
    match (check.result)(examination) {
        Some(true) => step(Outcome::Pass).telling(expected(examination), found(examination)),
        Some(false) => step(Outcome::Fail).telling(expected(examination), found(examination)),
        None => step(Outcome::Skipped).telling("", "does not apply"),
    }
}
