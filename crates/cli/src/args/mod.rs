//! What can be written on the command line: a file for each command.

mod audit;
mod config;
#[cfg(feature = "dev")]
mod dev;
mod explain;
mod keys;
mod revoke;
mod serve;
mod token;

pub(crate) use audit::{AuditArguments, FailOn, Format, Ignored};
pub(crate) use config::{ConfigAction, ConfigArguments};
#[cfg(feature = "dev")]
pub(crate) use dev::{DevArguments, IdpAction, IdpArguments};
pub(crate) use explain::ExplainArguments;
pub(crate) use keys::KeysArguments;
pub(crate) use revoke::RevokeArguments;
pub(crate) use serve::ServeArguments;
pub(crate) use token::TokenArguments;

use clap::{Parser, Subcommand};

/// OAuth 2.0 and OpenID Connect protection for HTTP APIs.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway: protect an API in any language, as a reverse proxy in front of it
    Serve(ServeArguments),
    /// Check the settings of the gateway, or begin a settings file
    Config(ConfigArguments),
    /// Run everything on this machine: an identity provider, an API, the gateway, and lines to try
    #[cfg(feature = "dev")]
    Dev(DevArguments),
    /// Run the development identity provider alone; rotate the keys of one that runs, or make it fail
    #[cfg(feature = "dev")]
    Idp(IdpArguments),
    /// Get an access token by client credentials, and print it
    Token(TokenArguments),
    /// Revoke a token, a subject, a session or a client, in the store that all replicas share
    Revoke(RevokeArguments),
    /// Explain why a token is accepted or refused, check by check
    Explain(ExplainArguments),
    /// Look for weaknesses of an identity provider, or of our own settings, each with its cure
    Audit(AuditArguments),
    /// Show the keys of an identity provider: which are usable, and why the others are not
    Keys(KeysArguments),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
