//! The variables that describe the client, from the environment or `.env`.
//!
//! They describe one client at one issuer. If the command line names another issuer or client, they
//! do not apply: a secret is sent only to the issuer it was meant for.

use crate::args::ClientArguments;
use crate::exit::CommandError;
use portcullis_client::Secret;
use portcullis_resource_server::Config;
use std::path::PathBuf;

/// The variables that are set.
pub(crate) struct ClientVariables {
    pub(crate) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    /// Also an empty one, which is an error later on.
    pub(crate) secret: Option<Secret>,
    pub(crate) assertion_file: Option<PathBuf>,
}

impl ClientVariables {
    /// Reads the variables that apply to these arguments.
    ///
    /// # Errors
    ///
    /// A `.env` that cannot be read.
    pub(crate) fn read(arguments: &ClientArguments) -> Result<Self, CommandError> {
        let mut variables = Self {
            issuer: issuer_variable()?,
            client_id: variable("OAUTH2_CLIENT_ID")?,
            secret: Config::variable(SECRET)?.map(Secret::new),
            assertion_file: variable("OAUTH2_CLIENT_ASSERTION_FILE")?.map(PathBuf::from),
        };
        variables.drop_inapplicable(arguments);
        Ok(variables)
    }

    /// Drops the client of another issuer, and the credentials of another client.
    fn drop_inapplicable(&mut self, arguments: &ClientArguments) {
        // Two providers may well have a client of the same name.
        if differ(arguments.issuer.as_ref(), self.issuer.as_ref()) {
            (self.client_id, self.secret, self.assertion_file) = (None, None, None);
        }
        if differ(arguments.client_id.as_ref(), self.client_id.as_ref()) {
            (self.secret, self.assertion_file) = (None, None);
        }
    }
}

/// Whether the arguments or the environment name an issuer.
///
/// # Errors
///
/// A `.env` that cannot be read.
pub(crate) fn names_issuer(arguments: &ClientArguments) -> Result<bool, CommandError> {
    Ok(arguments.issuer.is_some() || issuer_variable()?.is_some())
}

fn issuer_variable() -> Result<Option<String>, CommandError> {
    variable("OAUTH2_ISSUER")
}

/// A variable; an empty one counts as unset.
fn variable(name: &str) -> Result<Option<String>, CommandError> {
    let value = Config::variable(name)?;
    Ok(value.filter(|value| !value.is_empty()))
}

/// Whether both are there and differ.
fn differ(argument: Option<&String>, variable: Option<&String>) -> bool {
    matches!((argument, variable), (Some(argument), Some(variable)) if argument != variable)
}

pub(super) const SECRET: &str = "OAUTH2_CLIENT_SECRET";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command};
    use clap::Parser as _;

    fn arguments(given: &[&str]) -> ClientArguments {
        let line = ["portcullis", "token"].iter().chain(given);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Token(arguments) => arguments.request.client,
            _ => panic!("another command"),
        }
    }

    /// Whether the client's id and its secret apply to these arguments.
    fn apply(given: &[&str]) -> (bool, bool) {
        let text = |text: &str| Some(text.to_owned());
        let mut variables = ClientVariables {
            issuer: text("https://a.example"),
            client_id: text("a"),
            secret: Some(Secret::new("s")),
            assertion_file: Some("file".into()),
        };
        variables.drop_inapplicable(&arguments(given));
        assert_eq!(
            variables.secret.is_some(),
            variables.assertion_file.is_some()
        );
        (variables.client_id.is_some(), variables.secret.is_some())
    }

    #[test]
    fn a_secret_is_sent_to_nobody_it_was_not_meant_for() {
        let (issuer, other) = ("https://a.example", "https://b.example");
        assert_eq!(apply(&[]), (true, true));
        assert_eq!(
            apply(&["--issuer", issuer, "--client-id", "a"]),
            (true, true)
        );
        assert_eq!(apply(&["--issuer", other]), (false, false));
        assert_eq!(
            apply(&["--issuer", other, "--client-id", "a"]),
            (false, false)
        );
        assert_eq!(apply(&["--client-id", "b"]), (true, false));
    }
}
