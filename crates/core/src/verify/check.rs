//! What a row of the table is.

use super::verifier::Examination;
use crate::rejection::Code;

/// One row of the table.
#[derive(Debug)]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// The refusal where it fails.
    pub code: Code,
    /// When it runs.
    pub stage: Stage,
    pub(super) result: fn(&Examination<'_>) -> Option<bool>,
    pub(super) expected: fn(&Examination<'_>) -> String,
    pub(super) found: fn(&Examination<'_>) -> String,
}

/// When a check runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before a key is looked for.
    BeforeKeys,
    /// Before a key is looked for, and again whenever a verified token comes back: time goes on.
    EveryTime,
    /// After the signature.
    AfterSignature,
}
