//! `portcullis config`.

use super::address;
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
        /// The settings file [default: portcullis.toml]
        file: Option<PathBuf>,
        /// The settings file, as other commands name it
        #[arg(long, value_name = "FILE", conflicts_with = "file")]
        config: Option<PathBuf>,
        /// Ask every issuer for its keys, and try introspection, groups and the revocation store
        #[arg(long)]
        online: bool,
        /// Leave out the machine's own files: for a check elsewhere, as in CI
        #[arg(long)]
        without_files: bool,
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
    /// Show which requests two settings files decide otherwise
    #[command(after_long_help = DIFF)]
    Diff {
        /// The settings file in use
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The settings file to come
        #[arg(value_name = "NEW")]
        new: PathBuf,
    },
    /// Write a commented settings file to start from
    #[command(after_long_help = INIT)]
    Init {
        /// The issuer whose tokens are accepted, exactly as it stands in their `iss`
        #[arg(long, value_name = "URL")]
        issuer: Option<String>,
        /// What the tokens' `aud` must hold; several times for several
        #[arg(long, value_name = "NAME")]
        audience: Vec<String>,
        /// Where requests go: a URL, `localhost:3000`, or a port on loopback
        #[arg(long, value_name = "URL", value_parser = address::upstream)]
        upstream: Option<String>,
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
  $ portcullis config check portcullis.toml
  $ portcullis config diff portcullis.toml portcullis.new.toml
  $ portcullis config schema > portcullis.schema.json";

const CHECK: &str = "\
Examples:
  $ portcullis config check
  $ portcullis config check /etc/portcullis/portcullis.toml
  $ portcullis config check --online
  $ portcullis config check --without-files
  $ portcullis config check --openapi api.yaml

Certificates, keys and authorities are read as `serve` reads them at its start, and the folders of
`log.audit` and `key_snapshot` must take files; nothing is created. `--without-files` leaves these
out. Secrets, policies and a `jwks_file` are parts of the settings, and are read all the same.
`--online` sends a random text to the introspection endpoints, and changes nothing anywhere.
With `--openapi`, a route that demands less than the document is a fault; one that demands more is
shown, and so are operations without a route and routes without an operation.

Exit codes: 0 no faults, 1 faults, or could not run; with `--online`, 2 if a client of the settings
is refused, 4 if something does not answer as it should.";

const DIFF: &str = "\
Examples:
  $ portcullis config diff portcullis.toml portcullis.new.toml
  $ git show HEAD:portcullis.toml > old.toml
  $ portcullis config diff old.toml portcullis.toml

The comparison covers who may call what: hosts, routes, and what they demand. It asks both files
about requests that stand for all others. Upstreams, headers for them, bodies and timeouts are not
compared.

Exit codes: 0 no request is decided otherwise, 1 some are, or could not run.";

const SCHEMA: &str = "\
Examples:
  $ portcullis config schema > portcullis.schema.json

Editors find it by the first line of the settings: `#:schema ./portcullis.schema.json`.";

const INIT: &str = "\
Examples:
  $ portcullis config init --issuer https://idp.acme.dev --audience api://orders --upstream 3000
  $ portcullis config init --config -
  $ portcullis config init --from-openapi api.yaml";
