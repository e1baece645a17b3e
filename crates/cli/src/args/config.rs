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
    /// Check the settings, and print every fault with its line and help
    #[command(after_long_help = CHECK)]
    Check {
        /// The settings file
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
        /// Compare the routes with the operations of an OpenAPI document (3.0 or 3.1)
        #[arg(long, value_name = "FILE")]
        openapi: Option<PathBuf>,
        /// The host by which clients call the API. Default: that of the document's first server
        #[arg(long, value_name = "HOST", requires = "openapi")]
        host: Option<String>,
    },
    /// Print the JSON schema of the settings, for editors, or the schema for Cedar policies
    #[command(after_long_help = SCHEMA)]
    Schema {
        /// Print the schema that Cedar policies are checked against, for these settings
        #[arg(long)]
        cedar: bool,
        /// The settings file, for `--cedar`
        #[arg(
            long,
            value_name = "FILE",
            default_value = "portcullis.toml",
            // The plain schema needs no settings, so a file for it would be ignored in silence.
            requires = "cedar"
        )]
        config: PathBuf,
    },
    /// Write a commented settings file to start from
    #[command(after_long_help = INIT)]
    Init {
        /// The file to write; `-` for standard output. An existing file is not overwritten
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
        /// Write the routes of an OpenAPI document (3.0 or 3.1), YAML or JSON
        #[arg(long, value_name = "FILE")]
        from_openapi: Option<PathBuf>,
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
  $ portcullis config check --openapi api.yaml

With `--openapi`, a route that demands less than the document is a fault; one that demands more is
shown, and so are operations without a route and routes without an operation.

Exit codes: 0 no faults, 1 faults, or could not run.";

const SCHEMA: &str = "\
Examples:
  $ portcullis config schema > portcullis.schema.json

Editors find it by the first line of the settings: `#:schema ./portcullis.schema.json`.";

const INIT: &str = "\
Examples:
  $ portcullis config init
  $ portcullis config init --config -
  $ portcullis config init --from-openapi api.yaml";
