//! The faults found so far.

use portcullis_core::{ConfigError, ConfigErrors};

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<ConfigError>);

impl Faults {
    /// One more: where, what was expected, and the cure.
    pub(super) fn add(
        &mut self,
        place: impl Into<String>,
        expected: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.0.push(ConfigError::new(place, expected, cure));
    }

    /// The value, or nothing and its faults noted.
    pub(super) fn all<T>(&mut self, result: Result<T, ConfigErrors>) -> Option<T> {
        result
            .map_err(|errors| self.0.extend(errors.iter().cloned()))
            .ok()
    }

    /// All of them, if there are any.
    pub(super) fn check(self) -> Result<(), ConfigErrors> {
        ConfigErrors::check(self.0)
    }
}
