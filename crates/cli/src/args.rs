//! What can be written on the command line.

#[cfg(feature = "dev")]
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
#[cfg(feature = "dev")]
use portcullis_idp::Dialect;
use std::path::PathBuf;

/// OAuth 2.0 and OpenID Connect protection for HTTP APIs.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine: an identity provider, the enterprise API, and lines to try
    #[cfg(feature = "dev")]
    Dev(DevArguments),
    /// Run the development identity provider alone, or rotate the keys of one that runs
    #[cfg(feature = "dev")]
    Idp(IdpArguments),
    /// Get an access token by client credentials, and print it
    Token(TokenArguments),
    /// Explain why a token is accepted or refused, check by check
    Explain(ExplainArguments),
}

#[cfg(feature = "dev")]
#[derive(Args, Debug)]
pub(crate) struct DevArguments {
    /// The provider to imitate [default: what the settings say, else none in particular]
    #[arg(long = "as", value_name = "PROVIDER", value_parser = dialects())]
    pub(crate) dialect: Option<Dialect>,
    /// The identity provider's settings, in TOML [default: alice with the role Admin, and bob]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[cfg(feature = "dev")]
#[derive(Args, Debug)]
pub(crate) struct IdpArguments {
    #[command(subcommand)]
    pub(crate) action: Option<IdpAction>,
    /// The provider to imitate [default: what the settings say, else none in particular]
    #[arg(long = "as", value_name = "PROVIDER", value_parser = dialects())]
    pub(crate) dialect: Option<Dialect>,
    /// The settings, in TOML [default: alice with the role Admin, and bob]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:9000, or any free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// The signature algorithm: RS256, ES256, PS256, EdDSA ... [default: RS256]
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
}

/// The names of the dialects, for help and for the cure of a wrong one.
#[cfg(feature = "dev")]
fn dialects() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name)).try_map(|name| name.parse::<Dialect>())
}

#[cfg(feature = "dev")]
#[derive(Debug, Subcommand)]
pub(crate) enum IdpAction {
    /// Take a new signing key into use
    Rotate {
        /// Keep the old key published beside the new one
        #[arg(long)]
        overlap: bool,
        /// The running identity provider
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
        issuer: String,
    },
}

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

#[derive(Args, Debug)]
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
