//! What can be written on the command line: a file for each command.

mod audit;
mod config;
mod curl;
#[cfg(feature = "dev")]
mod dev;
mod explain;
mod keys;
mod revoke;
mod serve;
mod shell;
mod sign_in;
mod token;

pub(crate) use audit::{AuditArguments, Format};
pub(crate) use config::{ConfigAction, ConfigArguments};
pub(crate) use curl::CurlArguments;
#[cfg(feature = "dev")]
pub(crate) use dev::{DevArguments, IdpAction, IdpArguments};
pub(crate) use explain::ExplainArguments;
pub(crate) use keys::KeysArguments;
pub(crate) use revoke::RevokeArguments;
pub(crate) use serve::ServeArguments;
pub(crate) use shell::{CompletionsArguments, ManArguments};
pub(crate) use sign_in::SignInArguments;
pub(crate) use token::{
    ClientArguments, Grant, LogoutArguments, Output, OutputArguments, RequestArguments,
    TokenAction, TokenArguments, TokenType,
};

use clap::{Parser, Subcommand};

/// OAuth 2.0 and OpenID Connect protection for HTTP APIs.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_long_help = PORTCULLIS,
)]
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
    /// Run the development identity provider alone; rotate the keys of one that runs, or make it
    /// fail
    #[cfg(feature = "dev")]
    Idp(IdpArguments),
    /// Get an access token from any identity provider, and print it
    Token(Box<TokenArguments>),
    /// Call an API with a token, and with a proof where the token is bound to a key
    Curl(Box<CurlArguments>),
    /// Sign out: revoke what is kept, end the session, forget
    Logout(LogoutArguments),
    /// Revoke a token, a subject, a session or a client, in the store that all replicas share
    Revoke(RevokeArguments),
    /// Explain why a token is accepted or refused, check by check
    Explain(ExplainArguments),
    /// Look for weaknesses of an identity provider, or of our own settings, each with its cure
    Audit(AuditArguments),
    /// Show the keys of an identity provider: which are usable, and why the others are not
    Keys(KeysArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page, or write one for each command
    Man(ManArguments),
}

const PORTCULLIS: &str = "\
Examples:
  Everything on this machine, with lines to try:
  $ portcullis dev

  A token, and why an API takes it or not:
  $ portcullis token --issuer http://127.0.0.1:9000
  $ export OAUTH2_ISSUER=http://127.0.0.1:9000 OAUTH2_AUDIENCE=api://enterprise-api
  $ portcullis token -q | portcullis explain

  The gateway in front of an API:
  $ portcullis config init
  $ portcullis serve

Each command has more under --help, with examples.

Environment: the variables of each command, also from a file `.env` in the working directory;
NO_COLOR and CLICOLOR for colours, RUST_LOG for a log on standard error.

Exit codes: 0 fine, 1 could not run, 2 refused, 4 an outage: the identity provider could not
be asked.";

#[cfg(test)]
mod tests;
