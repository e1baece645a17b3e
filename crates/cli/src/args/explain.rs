//! `portcullis explain`.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = EXPLAIN)]
pub(crate) struct ExplainArguments {
    /// The token; `-` or nothing reads it from standard input
    pub(crate) token: Option<String>,
    /// A file that holds the token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub(crate) file: Option<PathBuf>,
    /// A file with the issuer's key set: with it, nothing is fetched
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks: Option<PathBuf>,
    /// Fetch nothing; needs `--jwks`
    #[arg(long, requires = "jwks")]
    pub(crate) offline: bool,
    /// The trusted issuer [env: OAUTH2_ISSUER, also from .env]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The audience of the API [env: OAUTH2_AUDIENCE, also from .env]
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// The kind of provider, such as `okta` [default: OAUTH2_PROFILE, else what the issuer shows]
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

A token on the command line can be read by whoever lists the processes of this machine: for one that
still opens doors, prefer --file or standard input. `Bearer` in front of it does no harm.

Exit codes: 0 accepted, 1 could not run, 2 refused, 4 undecided: the identity provider
could not be asked.";
