//! `portcullis config`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Say all that is wrong with the settings, each fault with its line and its cure
    Check {
        /// The settings
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
    },
    /// Print the JSON schema of the settings, for editors
    Schema,
    /// Write a commented settings file to begin with
    Init {
        /// Where to write; `-` for standard output. A file that is there is kept
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
    },
}
