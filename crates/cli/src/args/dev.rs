//! `portcullis dev` and `portcullis idp`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use portcullis_idp::Dialect;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = DEV)]
pub(crate) struct DevArguments {
    /// The provider to imitate [default: the one in the settings, else a generic one]
    #[arg(long = "as", value_name = "PROVIDER", value_parser = dialects())]
    pub(crate) dialect: Option<Dialect>,
    /// The identity provider's settings, in TOML
    /// [default: the users alice, with the role Admin, and bob]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Your own API: the gateway runs in front of it, instead of in front of the example
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_long_help = IDP)]
pub(crate) struct IdpArguments {
    #[command(subcommand)]
    pub(crate) action: Option<IdpAction>,
    /// The provider to imitate [default: the one in the settings, else a generic one]
    #[arg(long = "as", value_name = "PROVIDER", value_parser = dialects())]
    pub(crate) dialect: Option<Dialect>,
    /// The settings, in TOML [default: the users alice, with the role Admin, and bob]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1:9000, or a free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// The signature algorithm, such as RS256, ES256, PS256 or EdDSA [default: RS256]
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
}

/// The dialects by name: help lists them, and so does the error for a wrong one.
fn dialects() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name))
        .try_map(|name| name.parse::<Dialect>())
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdpAction {
    /// Sign with a new key from now on
    #[command(after_long_help = ROTATE)]
    Rotate {
        /// Keep publishing the old key beside the new one
        #[arg(long)]
        overlap: bool,
        /// Publish the new key under the `kid` of the old one, as some providers do after a restart
        // Two keys under one `kid` at the same time would be ambiguous.
        #[arg(long, conflicts_with = "overlap")]
        same_kid: bool,
        /// The URL of the running identity provider
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
        issuer: String,
    },
    /// Set a fault: a failing endpoint, a wrong clock, wrong tokens; without arguments, show them
    #[command(after_long_help = FAULTS)]
    Fault {
        /// What to break, such as `jwks` (listed below); `reset` clears all faults
        switch: Option<String>,
        /// How to break it, such as `500` (listed below); `none` clears the fault
        // `clock_off -3600` has a value, not a flag.
        #[arg(allow_negative_numbers = true)]
        position: Option<String>,
        /// The URL of the running identity provider
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
        issuer: String,
    },
}

const FAULTS: &str = "\
Endpoints (SWITCH):
  metadata, jwks, authorize, token, userinfo, introspection, revocation, par,
  device, graph
Faults of an endpoint (POSITION):
  none, 500, 401, 429, slow:MILLISECONDS, hang, closed, html, garbage, empty,
  huge, truncated, redirect, wrong-issuer
Flaws of issued tokens, for access_token_flaw and id_token_flaw:
  none, expired, not-yet-valid, wrong-key, unsigned, hmac, flipped
Claims of issued tokens, for access_token_claims and id_token_claims:
  a JSON object; null removes a claim
The clock, for clock_off:
  seconds ahead, or (negative) behind

Examples:
  $ portcullis idp fault token slow:2000
  $ portcullis idp fault jwks closed
  $ portcullis idp fault clock_off -3600
  $ portcullis idp fault access_token_claims '{\"aud\": \"api://other\"}'
  $ portcullis idp fault reset";

const DEV: &str = "\
Examples:
  $ portcullis dev
  $ portcullis dev --as keycloak
  $ portcullis dev --upstream http://127.0.0.1:3000

For development only: the passwords are public. Ctrl-C stops everything.";

const IDP: &str = "\
Examples:
  $ portcullis idp
  $ portcullis idp --as entra --listen 127.0.0.1:9100
  $ portcullis idp --config idp.toml
  $ portcullis idp rotate --overlap
  $ portcullis idp fault token 500

For development only: the passwords are public. Ctrl-C stops it.";

const ROTATE: &str = "\
Examples:
  $ portcullis idp rotate
  $ portcullis idp rotate --same-kid
  $ portcullis idp rotate --overlap --issuer http://127.0.0.1:9000";
