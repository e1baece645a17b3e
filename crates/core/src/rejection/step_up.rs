//! How and when a user must have signed in (RFC 9470, section 3).

use std::time::Duration;

/// The authentication that a request needs and that its token does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    acr_values: Vec<Box<str>>,
    max_age: Option<Duration>,
}

impl StepUp {
    /// Adds ways of signing in, less preferred than those before.
    pub(crate) fn add_values(&mut self, values: &[Box<str>]) {
        for value in values {
            if !self.acr_values.contains(value) {
                self.acr_values.push(value.clone());
            }
        }
    }

    /// Adds an age: the lowest counts.
    pub(crate) fn add_age(&mut self, age: Duration) {
        self.max_age = match self.max_age {
            Some(before) => Some(before.min(age)),
            None => Some(age),
        };
    }

    /// The values of `acr` of which one is needed, in order of preference; empty if any will do.
    pub fn acr_values(&self) -> impl Iterator<Item = &str> {
        self.acr_values.iter().map(AsRef::as_ref)
    }

    /// How long ago the user may have signed in; `None` if it does not matter.
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.acr_values.is_empty() && self.max_age.is_none()
    }
}
