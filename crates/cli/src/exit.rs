//! Exit codes, and the errors that a command ends with.

use crate::output::{BAD, STRONG, paint, wrap};
use portcullis_core::ConfigErrors;
use std::fmt;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Success.
    Fine = 0,
    /// The command could not do its work: wrong settings, a missing file.
    CouldNotRun = 1,
    /// The token was refused, or the request for one.
    Rejected = 2,
    /// The identity provider could not be reached.
    Outage = 4,
}

/// Why a command ended early, and what to do about it.
#[derive(Debug)]
pub(crate) struct CommandError {
    exit: Exit,
    message: String,
    help: Option<String>,
}

impl CommandError {
    /// An error with this exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            help: None,
        }
    }

    /// An error of the command line, the environment or the machine.
    pub(crate) fn could_not_run(message: impl Into<String>) -> Self {
        Self::new(Exit::CouldNotRun, message)
    }

    /// An error of a file, which it names first, as compilers do.
    pub(crate) fn in_file(path: &Path, problem: impl fmt::Display) -> Self {
        Self::could_not_run(format!("{}: {problem}", path.display()))
    }

    /// Adds the next step for the reader.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// Adds a line to the message.
    pub(crate) fn with(self, line: &str) -> Self {
        Self {
            message: format!("{}\n{line}", self.message),
            ..self
        }
    }

    /// Whether it says what to do.
    pub(crate) fn has_help(&self) -> bool {
        self.help.is_some()
    }

    /// The problem alone, without help.
    pub(crate) fn first_line(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The exit code.
    #[cfg(test)]
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The text that a person reads.
    #[cfg(test)]
    pub(crate) fn message(&self) -> String {
        self.to_string()
    }

    /// Prints the error to standard error, and returns the exit code.
    pub(crate) fn report(self) -> Exit {
        // Programs and logs get each part in one line; only a terminal has an edge.
        let text = match std::io::stderr().is_terminal() {
            true => self.wrap(),
            false => format!("portcullis: {self}"),
        };
        // If standard error is gone, the exit code still tells the caller.
        _ = writeln!(anstream::stderr(), "{text}");
        self.exit
    }

    /// The text for a terminal.
    fn wrap(&self) -> String {
        let mut text = paint(BAD, "portcullis:");
        for (index, line) in self.message.lines().enumerate() {
            // Further lines are indented by whoever wrote them.
            let line = match index {
                0 => format!(" {}", wrap(line, 12)),
                _ => {
                    let indent = line.len().saturating_sub(line.trim_start().len());
                    // A wrapped help continues below its text, as in the reports of rustc.
                    let hanging = if line.trim_start().starts_with("help: ") {
                        indent + "help: ".len()
                    } else {
                        indent + 2
                    };
                    format!("\n{:indent$}{}", "", wrap(line.trim_start(), hanging))
                }
            };
            text.push_str(&line);
        }
        if let Some(help) = &self.help {
            let label = paint(STRONG, "help:");
            text.push_str(&format!("\n    {label} {}", wrap(help, 10)));
        }
        text
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In the layout of rustc: the problem first, then what to do about it.
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n    help: {help}"),
            None => Ok(()),
        }
    }
}

impl From<ConfigErrors> for CommandError {
    fn from(errors: ConfigErrors) -> Self {
        Self::could_not_run(errors.to_string())
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::could_not_run(error.to_string())
    }
}
