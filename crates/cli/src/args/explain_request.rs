//! The arguments of `portcullis explain` about a server's settings, and about one request.

use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(next_help_heading = "A server and a request")]
pub(crate) struct GatewayArguments {
    /// The settings file of the server: all its issuers, limits and routes
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["issuer", "audience", "profile"],
    )]
    pub(crate) config: Option<PathBuf>,
    /// A request to explain, such as `GET /orders/7`: its route, and what that demands
    #[arg(long, value_name = "REQUEST", requires = "config")]
    pub(crate) request: Option<String>,
    /// The host of the request. Default: that of `--request`, or the first of `gateway.hosts`
    #[arg(long, value_name = "HOST", requires = "request")]
    pub(crate) host: Option<String>,
    /// A header of the request, such as `Origin: https://app.example`; repeatable
    #[arg(long = "header", value_name = "HEADER", requires = "request")]
    pub(crate) headers: Vec<String>,
    /// The address that the request comes from. Default: this machine
    #[arg(long, value_name = "ADDRESS", requires = "request")]
    pub(crate) from: Option<IpAddr>,
}
