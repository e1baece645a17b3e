//! `portcullis curl`.

use super::token::RequestArguments;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_long_help = CURL)]
pub(crate) struct CurlArguments {
    /// The URL to call: https, or http on this machine
    pub(crate) url: String,
    /// The method [default: GET, or POST with --data]
    // The short flags are those of curl.
    #[arg(long = "request", short = 'X', value_name = "METHOD", help_heading = CALL)]
    pub(crate) method: Option<String>,
    /// A header, such as `Accept: text/plain`; can be repeated
    #[arg(long = "header", short = 'H', value_name = "LINE", help_heading = CALL)]
    pub(crate) headers: Vec<String>,
    /// The content, or `@FILE`; sent as JSON unless a header names another type
    #[arg(long, short, value_name = "CONTENT", help_heading = CALL)]
    pub(crate) data: Option<String>,
    /// Also print the status and the headers of the response
    #[arg(long, short, help_heading = CALL)]
    pub(crate) include: bool,
    #[command(flatten)]
    pub(crate) request: RequestArguments,
}

const CALL: &str = "API request";

const CURL: &str = "\
Obtains a token like `portcullis token`, and sends it with the request; with --dpop, also a proof of
its key, which plain curl cannot make. A client that authenticates by --client-certificate-file
shows the certificate to the API too, for tokens that are bound to it. Redirects are not
followed: the token goes to no other host.

If the API demands a stronger or newer sign-in (RFC 9470), the person signs in again, and the
request is repeated once. If nobody can sign in here, the command prints the line to type.

Examples:
  $ portcullis curl http://127.0.0.1:8000/protected-data --issuer http://127.0.0.1:9000
  $ portcullis curl -q https://api.example/orders -d '{\"sku\":42}' --scope orders:write
  $ portcullis curl -i --dpop https://api.example/orders

Exit codes: 0 a status below 400, 1 could not run, 2 a status of 400 or more, or no token, 4 the
provider or the API could not be reached.";
