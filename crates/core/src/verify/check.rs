//! One row of the table: its name, its refusal, its stage, and its function.

use super::examination::{CheckResult, Examination};
use crate::rejection::Code;

/// One row of the table.
#[derive(Debug)]
#[non_exhaustive]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// The refusal if it fails.
    pub code: Code,
    /// When it runs.
    pub stage: Stage,
    pub(super) run: fn(&Examination<'_>) -> CheckResult,
}

// Most rows run before a key is looked up, so a flood of junk causes no fetch.
/// When a check runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Before a key is looked up.
    BeforeKeys,
    /// Before a key is looked up, and again each time a verified token comes back: time goes on.
    EveryTime,
    /// After the signature.
    AfterSignature,
}

impl Stage {
    /// Every stage.
    pub(super) const ALL: &'static [Self] =
        &[Self::BeforeKeys, Self::EveryTime, Self::AfterSignature];

    /// The stages that need no key.
    pub(super) const BEFORE_SIGNATURE: &'static [Self] = &[Self::BeforeKeys, Self::EveryTime];
}

/// A row of the table.
pub(super) const fn row(
    name: &'static str,
    code: Code,
    stage: Stage,
    run: fn(&Examination<'_>) -> CheckResult,
) -> Check {
    Check {
        name,
        code,
        stage,
        run,
    }
}
