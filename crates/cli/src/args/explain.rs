//! `portcullis explain`.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = EXPLAIN)]
pub(crate) struct ExplainArguments {
    /// The token; `-` or no argument reads it from standard input
    pub(crate) token: Option<String>,
    /// A file with the token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub(crate) file: Option<PathBuf>,
    /// A file with the issuer's key set; nothing is fetched then
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks: Option<PathBuf>,
    /// Fetch nothing; requires `--jwks`
    // Without keys, it could only report an outage.
    #[arg(long, requires = "jwks")]
    pub(crate) offline: bool,
    /// The trusted issuer [env: OAUTH2_ISSUER, also from .env]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The audience of the API [env: OAUTH2_AUDIENCE, also from .env]
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// The kind of provider, such as `okta`
    /// [env: OAUTH2_PROFILE, also from .env; default: recognized by the issuer]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Print the checks as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const EXPLAIN: &str = "\
Examples:
  $ portcullis explain --issuer https://idp.example --audience https://api.example eyJhbGciOi...
  $ portcullis token -q | portcullis explain
  $ portcullis explain --file token.txt --offline --jwks keys.json --json

Other users can read a command line in the list of processes: for a token that is still valid, use
--file or standard input. `Bearer` in front of the token is ignored.

Exit codes: 0 accepted, 1 could not run, 2 refused, 4 undecided: the identity provider could not be
reached.";
