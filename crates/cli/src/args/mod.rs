//! The arguments and the help of each command, one file each.

mod address;
mod audit;
mod config;
mod curl;
#[cfg(feature = "dev")]
mod dev;
mod events;
mod explain;
mod explain_proof;
mod explain_request;
mod help;
mod keys;
mod revoke;
mod serve;
mod shell;
mod sign_in;
mod token;

pub(crate) use audit::{AuditAction, AuditArguments, Format, ReportArguments};
pub(crate) use config::{ConfigAction, ConfigArguments};
pub(crate) use curl::CurlArguments;
#[cfg(feature = "dev")]
pub(crate) use dev::{DevArguments, IdpAction, IdpArguments, IdpTarget};
pub(crate) use events::{
    CreateArguments, EventsAction, EventsArguments, NewState, TransmitterArguments,
};
pub(crate) use explain::ExplainArguments;
pub(crate) use explain_proof::ProofArguments;
pub(crate) use keys::KeysArguments;
pub(crate) use revoke::RevokeArguments;
pub(crate) use serve::ServeArguments;
pub(crate) use shell::{CompletionsArguments, ManArguments};
pub(crate) use sign_in::SignInArguments;
pub(crate) use token::{
    ClientArguments, Grant, LogoutArguments, Output, OutputArguments, RequestArguments,
    SubjectTokenType, TokenAction, TokenArguments,
};

use crate::output::{WIDTH, width};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;

/// OAuth 2.0 and OpenID Connect protection for HTTP APIs.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    disable_help_subcommand = true,
    max_term_width = WIDTH,
    after_long_help = PORTCULLIS,
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Show more: the causes of an error, and what the command does
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// The arguments of a command line, program included.
///
/// # Errors
///
/// Arguments that do not fit, and requests for help or the version.
pub(crate) fn parse(line: Vec<OsString>) -> Result<Arguments, clap::Error> {
    let mut command = command();
    let line = help::rewrite(line, &command);
    let matches = command.try_get_matches_from_mut(line)?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The definition of the command line: help, completions and manual pages come from it.
pub(crate) fn command() -> clap::Command {
    help::prepare(Arguments::command(), width())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway: protect an API in any language, as a reverse proxy in front of it
    Serve(ServeArguments),
    /// Check the settings of the gateway, or write a settings file to start from
    Config(ConfigArguments),
    /// Run an identity provider, an API and the gateway on this machine, with requests to try
    #[cfg(feature = "dev")]
    Dev(DevArguments),
    /// Run the development identity provider alone, rotate its keys, or make it fail
    #[cfg(feature = "dev")]
    Idp(IdpArguments),
    /// Print an access token from any identity provider
    // Boxed: an enum is as large as its largest variant, and these two are large.
    Token(Box<TokenArguments>),
    /// Call an API with a token, and with a proof if the token is bound to a key (DPoP)
    Curl(Box<CurlArguments>),
    /// Sign out: revoke the stored tokens, end the session, and delete them
    Logout(LogoutArguments),
    /// Revoke the tokens of a subject, a session or a client, or a single one, on all replicas
    Revoke(RevokeArguments),
    /// Manage the streams of security events that a provider transmits (Shared Signals)
    Events(EventsArguments),
    /// Explain why a token is accepted or refused, check by check
    Explain(ExplainArguments),
    /// Find weaknesses of an identity provider, or of your settings, each with its remedy
    Audit(AuditArguments),
    /// Show the keys of an identity provider: which are usable, and why others are not
    Keys(KeysArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page, or write the pages of all commands
    Man(ManArguments),
}

const PORTCULLIS: &str = "\
Examples:
  # Try everything on this machine
  $ portcullis dev

  # Get a token, and see why an API accepts or refuses it
  $ export OAUTH2_ISSUER=http://127.0.0.1:9000
  $ export OAUTH2_AUDIENCE=api://enterprise-api
  $ portcullis token
  $ portcullis token -q | portcullis explain

  # Run the gateway in front of an API
  $ portcullis config init
  $ portcullis serve

Each command has its own --help, with examples; `portcullis help token` is the same.

Environment: the variables that each command names, also from the file `.env` in the working
directory; NO_COLOR and CLICOLOR for colours, RUST_LOG for a log on standard error.

Exit codes: 0 success, 1 could not run, 2 refused, 4 outage: the identity provider could not be
reached.";

#[cfg(test)]
mod tests;
