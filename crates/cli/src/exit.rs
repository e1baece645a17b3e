//! How a command ends.

use portcullis_core::ConfigErrors;
use std::fmt::Display;
use std::io::Write as _;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All is well.
    Fine = 0,
    /// The command could not do its work: wrong settings, no such file.
    CouldNotRun = 1,
    /// The token is refused, or the request for one was.
    Rejected = 2,
    /// The identity provider could not be asked.
    Outage = 4,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    pub(crate) fn could_not_run(message: impl Into<String>) -> Self {
        Self::new(Exit::CouldNotRun, message)
    }

    /// The same, with one more line.
    pub(crate) fn with(self, line: &str) -> Self {
        Self {
            message: format!("{}\n{line}", self.message),
            ..self
        }
    }

    /// A failure with the next step for whoever sees it.
    pub(crate) fn with_cure(exit: Exit, message: impl Display, cure: impl Display) -> Self {
        Self::new(exit, format!("{message}\n    cure: {cure}"))
    }

    /// What went wrong, without the cure.
    pub(crate) fn first_line(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// How the command ends.
    #[cfg(test)]
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// What the person is told.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Tells the person, and gives the exit code.
    pub(crate) fn report(self) -> Exit {
        // Nobody is left to tell if standard error is gone.
        _ = writeln!(anstream::stderr(), "portcullis: {}", self.message);
        self.exit
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::could_not_run(errors.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::could_not_run(error.to_string())
    }
}
