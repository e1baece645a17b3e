//! `portcullis dev` and `portcullis idp`.

use super::address;
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
    /// Keep the users and clients that are changed on the console in this file, over restarts
    #[arg(long, value_name = "FILE")]
    pub(crate) keep: Option<PathBuf>,
    /// Your own API: the gateway runs in front of it, instead of in front of the example
    #[arg(long, value_name = "URL", value_parser = address::upstream)]
    pub(crate) upstream: Option<String>,
    /// The address of the gateway; a port alone is on 127.0.0.1
    /// [default: 127.0.0.1:8080, or a free port if that is taken]
    #[arg(long, value_name = "ADDRESS", value_parser = address::listen)]
    pub(crate) listen: Option<std::net::SocketAddr>,
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
    /// Keep the users and clients that are changed on the console in this file, over restarts
    #[arg(long, value_name = "FILE")]
    pub(crate) keep: Option<PathBuf>,
    /// The address to listen on; a port alone is on 127.0.0.1
    /// [default: 127.0.0.1:9000, or a free port if that is taken]
    #[arg(long, value_name = "ADDRESS", value_parser = address::listen)]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// The signature algorithm, such as RS256, ES256, PS256 or EdDSA [default: RS256]
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
    /// Print one line of JSON as soon as it listens, with the issuer, the audience and the
    /// addresses, in place of the page
    #[arg(long)]
    pub(crate) json: bool,
}

/// The dialects by name: help lists them, and so does the error for a wrong one.
fn dialects() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name))
        .try_map(|name| name.parse::<Dialect>())
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdpAction {
    /// Write a commented settings file to start from
    #[command(after_long_help = INIT)]
    Init {
        /// The file to write; `-` for standard output. An existing file is not overwritten
        #[arg(long, value_name = "FILE", default_value = "idp.toml")]
        config: PathBuf,
    },
    /// Print the JSON schema of the settings, for editors
    #[command(after_long_help = SCHEMA)]
    Schema,
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
        #[command(flatten)]
        target: IdpTarget,
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
        #[command(flatten)]
        target: IdpTarget,
    },
}

/// The running identity provider.
#[derive(Args, Debug)]
pub(crate) struct IdpTarget {
    /// The URL of the running identity provider [env: OAUTH2_ISSUER, also from .env, if it is on
    /// loopback] [default: http://127.0.0.1:9000]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// A file with certificates in PEM to trust besides those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

const FAULTS: &str = "\
Endpoints (SWITCH):
  metadata, jwks, authorize, token, userinfo, introspection, revocation, par,
  device, graph
Faults of an endpoint (POSITION):
  none, 500, 401, 429, slow:MILLISECONDS, hang, closed, html, garbage, empty,
  huge, truncated, redirect, wrong-issuer, invalid_request, invalid_grant,
  invalid_scope, unauthorized_client, unsupported_grant_type;
  with `*2` behind it for the next two requests only
Flaws of tokens, for access_token_flaw and id_token_flaw:
  none, expired, not-yet-valid, wrong-key, unsigned, hmac, flipped,
  wrong-audience, wrong-issuer, unknown-key
Flaws of logout tokens and events, for logout_token_flaw and event_flaw:
  none, wrong-key, unsigned, hmac, flipped, wrong-audience, wrong-issuer,
  unknown-key, wrong-type, replayed, no-jti, no-events, two-events,
  no-subject, oversized
Flaws of logout tokens alone, for logout_token_flaw:
  expired, nonce
Flaws of events alone, for event_flaw:
  exp, sub, future
Claims of tokens, for access_token_claims, id_token_claims and so on:
  a JSON object; null removes a claim
The clock, for clock_off:
  seconds ahead, or (negative) behind

Examples:
  $ portcullis idp fault token slow:2000
  $ portcullis idp fault jwks closed
  $ portcullis idp fault token 'invalid_grant*1'
  $ portcullis idp fault clock_off -3600
  $ portcullis idp fault access_token_claims '{\"aud\":\"other\"}'
  $ portcullis idp fault reset";

const DEV: &str = "\
Examples:
  $ portcullis dev
  $ portcullis dev --as keycloak
  $ portcullis dev --upstream localhost:3000 --listen 8888

For development only: the passwords are public. Ctrl-C stops everything.";

const IDP: &str = "\
Examples:
  $ portcullis idp
  $ portcullis idp --as entra --listen 9100
  $ portcullis idp init
  $ portcullis idp --config idp.toml
  $ portcullis idp --listen 0 --json > idp.json &
  $ portcullis idp rotate --overlap
  $ portcullis idp fault token 500

For development only: the passwords are public. Ctrl-C stops it.";

const INIT: &str = "\
Examples:
  $ portcullis idp init
  $ portcullis idp --config idp.toml
  $ portcullis idp init --config -";

const SCHEMA: &str = "\
Examples:
  $ portcullis idp schema > idp.schema.json";

const ROTATE: &str = "\
Examples:
  $ portcullis idp rotate
  $ portcullis idp rotate --same-kid
  $ portcullis idp rotate --overlap --issuer http://127.0.0.1:9000

The new key is in memory only: after a restart the provider signs with the key of
`key_file` again, or with another new one.";
