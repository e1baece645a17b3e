//! The operator's faults: found at start, all at once, each with its place and its cure.

use std::fmt;

/// One fault in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    place: String,
    problem: String,
    cure: String,
}

impl ConfigError {
    /// A fault: where it is, what was expected there, and how to put it right.
    pub fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            problem: expected.into(),
            cure: cure.into(),
        }
    }

    /// The setting, variable or file at fault.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What was expected.
    pub fn expected(&self) -> &str {
        &self.problem
    }

    /// How to put it right.
    pub fn cure(&self) -> &str {
        &self.cure
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}\n    cure: {}",
            self.place, self.problem, self.cure
        )
    }
}

impl std::error::Error for ConfigError {}

/// All faults in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The faults, if there are any.
    ///
    /// # Errors
    ///
    /// All of them, when the list is not empty.
    pub fn check(faults: Vec<ConfigError>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self(faults))
        }
    }

    /// The faults, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(fault: ConfigError) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.0.len() == 1 { "fault" } else { "faults" };
        write!(f, "{} {many} in the settings:", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_with_place_expectation_and_cure() {
        let fault = ConfigError::new("issuer[0].url", "an issuer", "write one");
        assert_eq!(
            (fault.place(), fault.expected(), fault.cure()),
            ("issuer[0].url", "an issuer", "write one")
        );
        assert_eq!(
            fault.to_string(),
            "issuer[0].url: an issuer\n    cure: write one"
        );
        let one = ConfigErrors::from(fault.clone());
        assert!(
            one.to_string()
                .starts_with("1 fault in the settings:\n  issuer[0].url")
        );
        let two = ConfigErrors::check(vec![fault.clone(), fault]).unwrap_err();
        assert!(two.to_string().starts_with("2 faults in the settings:"));
        assert_eq!(two.iter().count(), 2);
        assert_eq!(ConfigErrors::check(Vec::new()), Ok(()));
    }
}
