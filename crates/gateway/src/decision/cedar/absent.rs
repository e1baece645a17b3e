//! What stands in for policies in a build without them.

use super::{Asking, Bound, Consulted, Vocabulary};
use crate::config::CedarConfig;
use portcullis_core::{ConfigError, ConfigErrors, Requirement};

/// No policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies(());

/// No question is ever put.
enum Never {}

impl Policies {
    /// Says what is missing.
    pub(crate) fn read(_: &CedarConfig, _: &Vocabulary) -> Result<Self, ConfigErrors> {
        let help =
            "take a build with the feature `cedar`, or leave the table and `require.cedar` out";
        let problem = "this program was built without Cedar policies";
        Err(ConfigError::wrong("cedar", problem).help(help).into())
    }

    pub(super) fn question(&self, _: &Requirement, _: Asking<'_>) -> Option<impl Bound + use<>> {
        None::<Never>
    }
}

impl Bound for Never {
    fn requirement(&self) -> &Requirement {
        match *self {}
    }

    fn consulted(&self) -> Consulted {
        match *self {}
    }
}
