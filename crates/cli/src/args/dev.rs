//! `portcullis dev` and `portcullis idp`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use portcullis_idp::Dialect;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = DEV)]
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

#[derive(Args, Debug)]
#[command(after_long_help = IDP)]
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
fn dialects() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name))
        .try_map(|name| name.parse::<Dialect>())
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdpAction {
    /// Take a new signing key into use
    #[command(after_long_help = ROTATE)]
    Rotate {
        /// Keep the old key published beside the new one
        #[arg(long)]
        overlap: bool,
        /// Give the new key the name of the old one, as a restarted provider with fixed names does
        #[arg(long, conflicts_with = "overlap")]
        same_kid: bool,
        /// The running identity provider
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
        issuer: String,
    },
    /// Make an endpoint fail, the clock go wrong or the tokens be wrong; without arguments, show
    /// what does
    #[command(after_long_help = FAULTS)]
    Fault {
        /// What is to fail, by its name; `reset` makes everything work again
        switch: Option<String>,
        /// How it is to fail: `none` for not at all
        #[arg(allow_negative_numbers = true)]
        position: Option<String>,
        /// The running identity provider
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
        issuer: String,
    },
}

const FAULTS: &str = "\
Endpoints:
  metadata, jwks, authorize, token, userinfo, introspection, revocation, par,
  device, graph
Their faults:
  none, 500, 401, 429, slow:MILLISECONDS, hang, closed, html, garbage, empty,
  huge, truncated, redirect, wrong-issuer
Tokens of flows, access_token_flaw and id_token_flaw:
  none, expired, not-yet-valid, wrong-key, unsigned, hmac, flipped
Their claims, access_token_claims and id_token_claims:
  a JSON object; what is null is left out
The clock, clock_off:
  seconds, ahead or (negative) behind

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

For development only: the passwords are known. Ctrl-C stops everything.";

const IDP: &str = "\
Examples:
  $ portcullis idp
  $ portcullis idp --as entra --listen 127.0.0.1:9100
  $ portcullis idp --config idp.toml
  $ portcullis idp rotate --overlap
  $ portcullis idp fault token 500

For development only: the passwords are known. Ctrl-C stops it.";

const ROTATE: &str = "\
Examples:
  $ portcullis idp rotate
  $ portcullis idp rotate --same-kid
  $ portcullis idp rotate --overlap --issuer http://127.0.0.1:9000";
