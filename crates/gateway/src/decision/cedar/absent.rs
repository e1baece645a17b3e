//! The stand-in for policies in a build without them.

use super::input::{PolicyInput, PolicyReport};
use super::schema::Vocabulary;
use crate::config::CedarConfig;
use portcullis_core::{ConfigError, ConfigErrors, Requirement};

/// No policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies(());

/// No requirement is ever bound: there are no policies to ask.
pub(crate) enum BoundRequirement {}

impl Policies {
    /// Reports that this build has no policies.
    pub(crate) fn read(_: &CedarConfig, _: &Vocabulary) -> Result<Self, ConfigErrors> {
        let help =
            "take a build with the feature `cedar`, or leave the table and `require.cedar` out";
        let problem = "this program was built without Cedar policies";
        Err(ConfigError::wrong("cedar", problem).help(help).into())
    }

    pub(crate) fn bind(&self, _: &Requirement, _: PolicyInput<'_>) -> Option<BoundRequirement> {
        None
    }
}

// An empty enum has no values, so these methods can never be called.
impl BoundRequirement {
    pub(crate) fn requirement(&self) -> &Requirement {
        match *self {}
    }

    pub(crate) fn report(&self) -> PolicyReport {
        match *self {}
    }
}
