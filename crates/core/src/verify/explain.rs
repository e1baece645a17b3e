//! The same table, run to the end, for a person to read.

use super::Verifier;
use super::checks::{CHECKS, Check, Stage};
use super::examination::{CheckResult, Evidence, Examination};
use crate::jose::{UnverifiedToken, VerifyingKey};
use crate::outage::Outage;
use crate::rejection::{Code, Facts, Rejection};
use crate::token::{Claims, NumericDate};

/// One check and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// A step outside the table, with its outcome and no facts.
    pub fn new(name: &'static str, outcome: Outcome, code: Code) -> Self {
        let entry = code.entry();
        Self {
            name,
            outcome,
            code: entry.code,
            cure: entry.cure,
            expected: String::new(),
            found: String::new(),
        }
    }

    /// A step outside the table that ended in this refusal.
    pub fn failure(name: &'static str, rejection: &Rejection) -> Self {
        let step = Self::new(name, Outcome::Fail, rejection.code());
        step.with_facts(rejection.facts())
    }

    /// A step outside the table that an outage left open, with what would have passed.
    pub fn open(name: &'static str, expected: impl Into<String>, outage: &Outage) -> Self {
        Self {
            name,
            outcome: Outcome::Unknown,
            code: outage.code().as_str(),
            cure: outage.cure(),
            expected: expected.into(),
            found: outage.facts().to_owned(),
        }
    }

    /// A step that was not reached: an earlier one failed.
    pub fn not_reached(name: &'static str, code: Code) -> Self {
        Self::new(name, Outcome::Skipped, code).with_texts("", "not reached")
    }

    /// The same step with what would have passed, and what was there.
    #[must_use]
    pub fn with_texts(self, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
            ..self
        }
    }

    fn with_facts(self, facts: &Facts) -> Self {
        self.with_texts(facts.expected(), facts.found())
    }
}

impl Verifier {
    /// The rows of the table that run before the signature, each with its outcome.
    pub fn explain_screening(&self, token: &UnverifiedToken<'_>, now: NumericDate) -> Vec<Step> {
        let evidence = Evidence::Token {
            header: token.header(),
            key_issuer: None,
        };
        let examination = self.examine(evidence, token.unverified_claims(), now);
        steps(&examination, Stage::BEFORE_SIGNATURE)
    }

    /// The rows of the table that run after the signature, each with its outcome. `key` is the key
    /// that signed, if one did.
    pub fn explain_rest(
        &self,
        token: &UnverifiedToken<'_>,
        key: Option<&VerifyingKey>,
        now: NumericDate,
    ) -> Vec<Step> {
        let evidence = Evidence::Token {
            header: token.header(),
            key_issuer: key.and_then(VerifyingKey::issuer),
        };
        let examination = self.examine(evidence, token.unverified_claims(), now);
        steps(&examination, &[Stage::AfterSignature])
    }

    /// The whole table over what the issuer says about a token that is not a JWT, each row with its
    /// outcome.
    pub fn explain_answer(&self, claims: &Claims, now: NumericDate) -> Vec<Step> {
        steps(&self.examine(Evidence::Answer, claims, now), Stage::ALL)
    }

    /// The same rows as skipped steps, for a token that did not get that far.
    pub fn explain_skipped(after_signature: bool) -> Vec<Step> {
        let stages: &[Stage] = if after_signature {
            &[Stage::AfterSignature]
        } else {
            Stage::BEFORE_SIGNATURE
        };
        let mut steps = Vec::new();
        for check in rows(stages) {
            steps.push(Step::not_reached(check.name, check.code));
        }
        steps
    }
}

fn rows(stages: &[Stage]) -> impl Iterator<Item = &'static Check> {
    CHECKS
        .iter()
        .filter(|check| stages.contains(&check.stage))
}

fn steps(examination: &Examination<'_>, stages: &[Stage]) -> Vec<Step> {
    let examination = Examination {
        explains: true,
        ..*examination
    };
    let mut steps = Vec::new();
    // A failure stops nothing here: people want to see all faults at once.
    for check in rows(stages) {
        steps.push(step(check, (check.run)(&examination)));
    }
    steps
}

fn step(check: &Check, result: CheckResult) -> Step {
    let (outcome, facts) = match result {
        CheckResult::Passes(facts) => (Outcome::Pass, facts),
        CheckResult::Fails(facts) => (Outcome::Fail, facts),
        CheckResult::DoesNotApply => (Outcome::Skipped, Facts::new("", "does not apply")),
    };
    Step::new(check.name, outcome, check.code).with_facts(&facts)
}
