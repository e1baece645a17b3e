//! `portcullis serve`.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = SERVE)]
pub(crate) struct ServeArguments {
    /// The settings; they are reloaded when the file changes, and on SIGHUP
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    pub(crate) config: PathBuf,
}

const SERVE: &str = "\
Examples:
  $ portcullis config init
  $ portcullis serve
  $ portcullis serve --config /etc/portcullis/portcullis.toml

Logs go to standard error. SIGHUP reloads the settings; SIGTERM stops after requests have ended.

Exit codes: 0 stopped, 1 could not run: the settings are wrong, or an address is in use.";
