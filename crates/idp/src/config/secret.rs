//! Text that does not print.

use serde::Deserialize;
use std::fmt;

/// A text that does not print.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the console: secrets are for development here.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in constant time, so that the duration does not reveal the first difference.
    pub fn is(&self, guess: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), guess.as_bytes())
            .is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The settings derive `Debug`, and their output may end up in a log.
        f.write_str("(secret)")
    }
}
