//! `portcullis serve`.

use super::address;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = SERVE)]
pub(crate) struct ServeArguments {
    /// The settings; they are reloaded when the file changes, and on SIGHUP
    /// [default: `portcullis.toml`, or without that file the variables OAUTH2_*]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where requests go, in place of the settings: a URL, `localhost:3000`, or a port on loopback
    #[arg(long, value_name = "URL", value_parser = address::upstream)]
    pub(crate) upstream: Option<String>,
    /// The address to listen on, in place of the settings; a port alone is on 127.0.0.1
    /// [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", value_parser = address::listen)]
    pub(crate) listen: Option<SocketAddr>,
    /// Listen for plain HTTP beyond loopback: whoever is on the way reads the tokens
    #[arg(long)]
    pub(crate) danger_plain_http: bool,
}

const SERVE: &str = "\
Examples:
  $ portcullis config init
  $ portcullis serve
  $ portcullis serve --config /etc/portcullis/portcullis.toml

  # Without a file, every request needs a valid token
  $ export OAUTH2_ISSUER=https://idp.example.com
  $ export OAUTH2_AUDIENCE=api://orders
  $ portcullis serve --upstream localhost:3000 --listen 9001

Logs go to standard error. SIGHUP reloads the settings; SIGTERM stops after requests have ended.

Environment: without a settings file, OAUTH2_ISSUER, OAUTH2_AUDIENCE and the other variables of
docs/environment.md, also from the file `.env`. With a file, only those that it names as ${NAME}.";
