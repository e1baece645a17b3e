//! The `portcullis` command: everything from the shell, by one match.

mod args;

mod browser;
mod command;
mod exit;
mod keys;
mod output;
mod stop;
mod store;

use args::{Arguments, Command};
use clap::Parser as _;
use exit::Exit;
use std::io::IsTerminal as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => {
            // Help and the version are no failure; for the rest the parser's own code means
            // "refused" here.
            _ = told.print();
            return if told.use_stderr() {
                Exit::CouldNotRun.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    // A server logs as its settings say, once they are read.
    if !matches!(arguments.command, Command::Serve(_)) {
        log("error", false);
    }
    let exit = match arguments.command {
        Command::Serve(arguments) => command::serve::run(arguments).await,
        Command::Config(arguments) => command::config::run(&arguments),
        #[cfg(feature = "dev")]
        Command::Dev(arguments) => command::dev::run(arguments).await,
        #[cfg(feature = "dev")]
        Command::Idp(arguments) => command::idp::run(arguments).await,
        Command::Token(arguments) => command::token::run(*arguments).await,
        Command::Curl(arguments) => command::curl::run(*arguments).await,
        Command::Logout(arguments) => command::logout::run(arguments).await,
        Command::Revoke(arguments) => command::revoke::run(arguments).await,
        Command::Explain(arguments) => command::explain::run(arguments).await,
        Command::Audit(arguments) => command::audit::run(arguments).await,
        Command::Keys(arguments) => command::keys::run(arguments).await,
        Command::Completions(arguments) => command::shell::completions(&arguments),
        Command::Man(arguments) => command::shell::man(&arguments),
    };
    exit.unwrap_or_else(|failure| failure.report()).into()
}

/// Logs to standard error: a server tells what it does, a command only what fails, unless
/// `RUST_LOG` says otherwise.
pub(crate) fn log(usual: &str, json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter);
    if json {
        lines.json().init();
    } else {
        lines.init();
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
