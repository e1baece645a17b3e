//! The arguments of `portcullis explain` about what a request shows beside its token.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(next_help_heading = "A proof of possession")]
pub(crate) struct ProofArguments {
    /// A proof of DPoP to check with the token: the value of the header `DPoP`
    #[arg(long, value_name = "PROOF", conflicts_with = "decode")]
    pub(crate) dpop: Option<String>,
    /// The method of the request. Default: that of a pasted command, or GET
    #[arg(long, value_name = "METHOD", conflicts_with = "request")]
    pub(crate) method: Option<String>,
    /// The URL of the request, as the client wrote it. Default: that of a pasted command
    #[arg(long, value_name = "URL", conflicts_with = "request")]
    pub(crate) url: Option<String>,
    /// A file with the client certificate of the connection, in PEM
    #[arg(long, value_name = "FILE", conflicts_with = "decode")]
    pub(crate) client_certificate_file: Option<PathBuf>,
}
