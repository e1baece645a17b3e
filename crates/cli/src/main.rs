//! The `portcullis` command: one match over its subcommands.

mod api_metadata;
mod args;
mod browser;
mod client;
mod clock;
mod command;
mod exit;
mod files;
mod header_field;
mod keys;
mod logging;
mod output;
mod ownership;
mod reporter;
mod stop;
mod store;
mod transmitter;

use args::{Arguments, Command};
use exit::{CommandError, Exit};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match args::parse(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(error) => return report_usage(&error),
    };
    // A server logs as its settings say, once they are read.
    if !matches!(arguments.command, Command::Serve(_)) {
        logging::start_command(arguments.verbose);
    }
    match run(arguments).await {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report().into(),
    }
}

async fn run(arguments: Arguments) -> Result<Exit, CommandError> {
    let verbose = arguments.verbose;
    match arguments.command {
        Command::Serve(arguments) => command::serve::run(arguments, verbose).await,
        Command::Config(arguments) => command::config::run(arguments).await,
        #[cfg(feature = "dev")]
        Command::Dev(arguments) => command::dev::run(arguments).await,
        #[cfg(feature = "dev")]
        Command::Idp(arguments) => command::idp::run(arguments).await,
        Command::Token(arguments) => command::token::run(*arguments).await,
        Command::Curl(arguments) => command::curl::run(*arguments).await,
        Command::Logout(arguments) => command::logout::run(arguments).await,
        Command::Revoke(arguments) => command::revoke::run(arguments).await,
        Command::Events(arguments) => command::events::run(arguments).await,
        Command::Explain(arguments) => command::explain::run(arguments).await,
        Command::Audit(arguments) => command::audit::run(arguments).await,
        Command::Keys(arguments) => command::keys::run(arguments).await,
        Command::Completions(arguments) => command::shell::completions(&arguments),
        Command::Man(arguments) => command::shell::man(&arguments),
    }
}

/// Prints what the parser found: help, the version, or an error of usage.
fn report_usage(error: &clap::Error) -> ExitCode {
    // A reader that went away is no error of ours.
    _ = error.print();
    if error.use_stderr() {
        // Not the parser's own code: 2 means that a token was refused.
        Exit::CouldNotRun.into()
    } else {
        ExitCode::SUCCESS
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
