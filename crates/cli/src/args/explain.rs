//! `portcullis explain`.

use super::explain_proof::ProofArguments;
use super::explain_request::GatewayArguments;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = EXPLAIN)]
pub(crate) struct ExplainArguments {
    /// The token, or a text with it; `-` or no argument reads it from standard input
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
    /// Show what the token says, and verify nothing
    #[arg(long, conflicts_with_all = ["jwks", "config", "request"])]
    pub(crate) decode: bool,
    /// Show everything: checks that do not apply, the header and all claims
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Explain a code of a refusal or outage, such as `token.audience`, instead of a token
    #[arg(long, value_name = "CODE", conflicts_with_all = TOKEN_ARGUMENTS)]
    pub(crate) code: Option<String>,
    /// Explain the request with this id, out of the audit records, instead of a token
    #[arg(long, value_name = "ID", requires = "audit", conflicts_with_all = TOKEN_ARGUMENTS)]
    pub(crate) request_id: Option<String>,
    /// A file with audit records, one JSON object a line; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "request_id")]
    pub(crate) audit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) proof: ProofArguments,
    #[command(flatten)]
    pub(crate) gateway: GatewayArguments,
}

/// What belongs to a token, and means nothing beside a code or a request id.
const TOKEN_ARGUMENTS: [&str; 15] = [
    "token",
    "file",
    "jwks",
    "offline",
    "issuer",
    "audience",
    "profile",
    "decode",
    "all",
    "config",
    "request",
    "dpop",
    "method",
    "url",
    "client_certificate_file",
];

const EXPLAIN: &str = "\
Examples:
  # Read a token; nothing is verified without an issuer and an audience
  $ portcullis explain eyJhbGciOi...

  # Verify it as a server does
  $ portcullis explain --issuer https://idp.example --audience https://api.example eyJhbGciOi...
  $ portcullis token -q | portcullis explain
  $ portcullis explain --file token.txt --offline --jwks keys.json --json
  $ portcullis explain --config portcullis.toml --file token.txt
  $ portcullis explain --config portcullis.toml --request \"GET /orders/7\" --file token.txt

  # Check a proof of DPoP with it, or whatever a pasted command shows
  $ portcullis explain --file token.txt --dpop eyJ0eXAi... --url https://api.example/orders/7
  $ portcullis explain --config portcullis.toml --file curl-line.txt

  # Find out what a refusal means, or what became of a request
  $ portcullis explain --code token.audience
  $ portcullis explain --request-id 0190d3f4a7c2 --audit audit.jsonl

The input may be a token, an Authorization header, a curl command, a token response as JSON, or the
address of a redirect. Other users can read a command line in the list of processes: for a token
that is still valid, use --file or standard input.

With `--config`, the settings are those of the server. With `--request`, a token comes from standard
input only where `-` says so; without any, the request has none.

Exit codes: 0 accepted, or read with --decode; 1 could not run; 2 refused; 4 undecided: the identity
provider or the revocation store could not be reached, or the settings lack the issuer or the
audience.";
