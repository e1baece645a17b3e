//! `portcullis curl`.

use super::token::RequestArguments;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_long_help = CURL)]
pub(crate) struct CurlArguments {
    /// What to call: https, or http on this machine
    pub(crate) url: String,
    /// The method [default: GET, or POST with --data]
    #[arg(long = "request", short = 'X', value_name = "METHOD", help_heading = CALL)]
    pub(crate) method: Option<String>,
    /// A header, such as `Accept: text/plain`
    #[arg(long = "header", short = 'H', value_name = "LINE", help_heading = CALL)]
    pub(crate) headers: Vec<String>,
    /// The content, or `@FILE`; its type is JSON unless a header says otherwise
    #[arg(long, short, value_name = "CONTENT", help_heading = CALL)]
    pub(crate) data: Option<String>,
    /// Print the status and the headers of the answer as well
    #[arg(long, short, help_heading = CALL)]
    pub(crate) include: bool,
    #[command(flatten)]
    pub(crate) request: RequestArguments,
}

const CALL: &str = "The call";

const CURL: &str = "\
Gets a token as `portcullis token` does, and sends it along; with --dpop, a proof of its key as \
well, which plain curl
could not make. Redirects are not followed: the token goes where it is told to, and nowhere else.

Where the API wants a stronger or a newer sign-in (RFC 9470), the person signs in once more as it
says, and the call is repeated once. Where nobody is here to sign in, the command to type is told.

Examples:
  $ portcullis curl http://127.0.0.1:8000/protected-data --issuer http://127.0.0.1:9000
  $ portcullis curl -q https://api.example/orders -d '{\"sku\":42}' --scope orders:write
  $ portcullis curl -i --dpop https://api.example/orders

Exit codes: 0 an answer below 400, 1 could not run, 2 an answer of 400 or more, or no token,
4 out of reach.";
