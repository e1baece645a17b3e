//! `portcullis config`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = CONFIG)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Say all that is wrong with the settings, each fault with its line and its cure
    #[command(after_long_help = CHECK)]
    Check {
        /// The settings
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
    },
    /// Print the JSON schema of the settings, for editors; or the schema of their Cedar policies
    #[command(after_long_help = SCHEMA)]
    Schema {
        /// Print what Cedar policies can name and read, as these settings have it
        #[arg(long)]
        cedar: bool,
        /// The settings, for `--cedar`
        #[arg(
            long,
            value_name = "FILE",
            default_value = "portcullis.toml",
            requires = "cedar"
        )]
        config: PathBuf,
    },
    /// Write a commented settings file to begin with
    #[command(after_long_help = INIT)]
    Init {
        /// Where to write; `-` for standard output. A file that is there is kept
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
    },
}

const CONFIG: &str = "\
Examples:
  $ portcullis config init
  $ portcullis config check --config portcullis.toml
  $ portcullis config schema > portcullis.schema.json";

const CHECK: &str = "\
Examples:
  $ portcullis config check
  $ portcullis config check --config /etc/portcullis/portcullis.toml

Exit codes: 0 in order, 1 not.";

const SCHEMA: &str = "\
Examples:
  $ portcullis config schema > portcullis.schema.json

Editors find it by a first line `#:schema ./portcullis.schema.json` in the settings.";

const INIT: &str = "\
Examples:
  $ portcullis config init
  $ portcullis config init --config -";
