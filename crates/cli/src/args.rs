//! What can be written on the command line.

#[cfg(feature = "dev")]
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use portcullis_core::token::NumericDate;
#[cfg(feature = "dev")]
use portcullis_idp::Dialect;
use portcullis_resource_server::StoreUrl;
use std::convert::Infallible;
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
    /// Run the gateway: protect an API in any language, as a reverse proxy in front of it
    Serve(ServeArguments),
    /// Check the settings of the gateway, or begin a settings file
    Config(ConfigArguments),
    /// Run everything on this machine: an identity provider, an API, the gateway, and lines to try
    #[cfg(feature = "dev")]
    Dev(DevArguments),
    /// Run the development identity provider alone, or rotate the keys of one that runs
    #[cfg(feature = "dev")]
    Idp(IdpArguments),
    /// Get an access token by client credentials, and print it
    Token(TokenArguments),
    /// Revoke a token, a subject, a session or a client, in the store that all replicas share
    Revoke(RevokeArguments),
    /// Explain why a token is accepted or refused, check by check
    Explain(ExplainArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    /// The settings; they are read again when they change, and on SIGHUP
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Say all that is wrong with the settings, each fault with its line and its cure
    Check {
        /// The settings
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
    },
    /// Print the JSON schema of the settings, for editors
    Schema,
    /// Write a commented settings file to begin with
    Init {
        /// Where to write; `-` for standard output. A file that is there is kept
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
        config: PathBuf,
    },
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
    /// Your own API: the gateway is put in front of it, in the place of the example
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Option<String>,
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

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["token_file", "jti", "subject", "session", "client", "list"]))]
pub(crate) struct RevokeArguments {
    /// A file that holds the token to revoke; `-` reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The identifier of the token to revoke: its `jti`, or `uti` (Entra ID)
    #[arg(long, value_name = "ID")]
    pub(crate) jti: Option<String>,
    /// The subject whose tokens to revoke: `sub`, or `oid` (Entra ID)
    #[arg(long, value_name = "SUB")]
    pub(crate) subject: Option<String>,
    /// The session to revoke: the `sid` of its tokens
    #[arg(long, value_name = "SID")]
    pub(crate) session: Option<String>,
    /// The client whose tokens to revoke: `client_id` or `azp`
    #[arg(long, value_name = "ID")]
    pub(crate) client: Option<String>,
    /// Show what is revoked, by kind and digest
    #[arg(long)]
    pub(crate) list: bool,
    /// Revoke what was issued at this moment or before: 2026-11-24T15:04:05Z, or seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with_all = ["token_file", "jti", "session", "list"])]
    pub(crate) since: Option<NumericDate>,
    /// For how many days it is remembered: as long as the issuer's longest-lived token, at least
    #[arg(long, value_name = "DAYS", default_value_t = 31, value_parser = clap::value_parser!(u16).range(1..=3_660))]
    pub(crate) keep: u16,
    /// The issuer [env: OAUTH2_ISSUER, also from .env; a token names its own]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The store, such as rediss://redis.example:6380 [env: PORTCULLIS_STORE, also from .env]
    #[arg(long, value_name = "URL", value_parser = store_url)]
    pub(crate) store: Option<StoreUrl>,
    /// A file with the store's URL, where that holds a password
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    pub(crate) store_file: Option<PathBuf>,
    /// The settings of a resource server, in TOML: the store and the issuer are read from it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["store", "store_file"])]
    pub(crate) config: Option<PathBuf>,
    /// The key of the store's stream [default: portcullis:revocations]
    #[arg(long, value_name = "KEY")]
    pub(crate) stream: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn store_url(text: &str) -> Result<StoreUrl, Infallible> {
    Ok(StoreUrl::new(text))
}

/// A moment of RFC 3339 in UTC, or seconds since 1970.
fn moment(text: &str) -> Result<NumericDate, &'static str> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(NumericDate::from_seconds(seconds.into())),
        Err(_) => humantime::parse_rfc3339_weak(text)
            .map(NumericDate::from)
            .map_err(|_| "write it like 2026-11-24T15:04:05Z, or in seconds since 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_moment_is_written_in_two_ways() {
        let expected = Ok(NumericDate::from_seconds(1_800_000_000));
        for text in ["1800000000", "2027-01-15T08:00:00Z", "2027-01-15 08:00:00"] {
            assert_eq!(moment(text), expected, "{text}");
        }
        for text in ["", "-1", "yesterday", "2027-01-15T08:00:00+01:00", "99999999999"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
