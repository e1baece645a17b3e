//! `portcullis revoke`.

use clap::Args;
use portcullis_core::token::NumericDate;
use portcullis_resource_server::StoreUrl;
use std::convert::Infallible;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = REVOKE)]
#[command(
    // Of two, it would be unclear whether a token has to match both, or either.
    group = clap::ArgGroup::new("what").required(true).args([
        "token_file",
        "jti",
        "subject",
        "session",
        "client",
        "thumbprint",
        "enable",
        "list",
    ])
)]
pub(crate) struct RevokeArguments {
    /// A file with the token to revoke; `-` reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The id of the token to revoke: its `jti`, or `uti` (Entra ID)
    #[arg(long, value_name = "ID")]
    pub(crate) jti: Option<String>,
    /// The subject whose tokens to revoke: `sub`, or `oid` (Entra ID)
    #[arg(long, value_name = "SUB")]
    pub(crate) subject: Option<String>,
    /// The session whose tokens to revoke: `sid`
    #[arg(long, value_name = "SID")]
    pub(crate) session: Option<String>,
    /// The client whose tokens to revoke: `client_id` or `azp`
    #[arg(long, value_name = "ID")]
    pub(crate) client: Option<String>,
    /// The key or client certificate whose tokens to revoke, by its thumbprint: `cnf.jkt` or
    /// `cnf.x5t#S256`. It counts for every issuer
    #[arg(long, value_name = "THUMBPRINT", conflicts_with = "issuer")]
    pub(crate) thumbprint: Option<String>,
    /// The subject whose account can be used again, after an event of the provider disabled it:
    /// `sub`, or `oid` (Entra ID)
    #[arg(long, value_name = "SUB")]
    pub(crate) enable: Option<String>,
    /// List the revocations, by kind and digest, and where each comes from
    #[arg(long)]
    pub(crate) list: bool,
    /// Revoke tokens issued until this time: 2026-11-24T15:04:05Z, or seconds since 1970
    /// [default: now]
    #[arg(
        long,
        value_name = "TIME",
        value_parser = moment,
        // A token or a session is revoked as a whole, whenever it was issued.
        conflicts_with_all = ["token_file", "jti", "session", "thumbprint", "enable", "list"],
    )]
    pub(crate) since: Option<NumericDate>,
    /// For how many days to keep the revocation: at least the lifetime of the issuer's tokens
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 31,
        value_parser = clap::value_parser!(u16).range(1..=3_660),
    )]
    pub(crate) keep: u16,
    /// The issuer [env: OAUTH2_ISSUER, also from .env; default for a token: its `iss`]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The store, such as rediss://redis.example:6380 [env: PORTCULLIS_STORE, also from .env]
    #[arg(long, value_name = "URL", value_parser = store_url)]
    pub(crate) store: Option<StoreUrl>,
    /// A file with the store's URL, for a URL with a password
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    pub(crate) store_file: Option<PathBuf>,
    /// The settings of a resource server, in TOML, which name the store and the issuer
    #[arg(long, value_name = "FILE", conflicts_with_all = ["store", "store_file"])]
    pub(crate) config: Option<PathBuf>,
    /// The key of the store's stream [default: portcullis:revocations]
    #[arg(long, value_name = "KEY")]
    pub(crate) stream: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

// Accepts any text: the parser would repeat a wrong value in its error, with the password in it.
fn store_url(text: &str) -> Result<StoreUrl, Infallible> {
    Ok(StoreUrl::new(text))
}

/// A moment of RFC 3339 in UTC, or seconds since 1970.
fn moment(text: &str) -> Result<NumericDate, &'static str> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(NumericDate::from_seconds(seconds.into()));
    }
    match humantime::parse_rfc3339_weak(text) {
        Ok(time) => Ok(time.into()),
        Err(_) => Err("expected a time such as 2026-11-24T15:04:05Z, or seconds since 1970"),
    }
}

const REVOKE: &str = "\
Examples:
  $ portcullis revoke --token-file token.txt
  $ portcullis revoke --subject alice --issuer https://idp.example --store rediss://redis.example
  $ portcullis revoke --list

Exit codes: 0 done, 1 could not run, 2 the token is not the issuer's, 4 the store could not be
reached.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_two_ways() {
        let expected = Ok(NumericDate::from_seconds(1_800_000_000));
        for text in ["1800000000", "2027-01-15T08:00:00Z", "2027-01-15 08:00:00"] {
            assert_eq!(moment(text), expected, "{text}");
        }
        for text in [
            "",
            "-1",
            "yesterday",
            "2027-01-15T08:00:00+01:00",
            "99999999999",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
