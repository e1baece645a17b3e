//! `portcullis token`.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct TokenArguments {
    /// The identity provider [env: OAUTH2_ISSUER, also from .env]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The client [env: OAUTH2_CLIENT_ID, also from .env]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// A file with the client's secret [otherwise: OAUTH2_CLIENT_SECRET, also from .env]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The scopes to ask for, with spaces between
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// The audience to ask for, as `audience` (Auth0, Ory Hydra)
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// The resource to ask for, as `resource` (RFC 8707)
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
    /// Print the whole answer as JSON instead of the bare token
    #[arg(long)]
    pub(crate) json: bool,
}
