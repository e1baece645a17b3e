//! `portcullis keys`.

use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_long_help = KEYS)]
pub(crate) struct KeysArguments {
    /// The identity provider [env: OAUTH2_ISSUER, also from .env]
    pub(crate) issuer: Option<String>,
    /// The same as the argument, as other commands have it
    #[arg(
        long = "issuer",
        id = "issuer_option",
        value_name = "URL",
        conflicts_with = "issuer"
    )]
    pub(crate) issuer_option: Option<String>,
    /// An API whose metadata names the provider (RFC 9728)
    #[arg(long, value_name = "URL", conflicts_with_all = ["metadata_url", "jwks_uri"])]
    pub(crate) resource_url: Option<String>,
    /// A file with certificates in PEM to trust besides those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The kind of provider, such as `cloudflare`, which decides where its documents are
    /// [default: recognized by the issuer]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// The URL of the metadata, if it is not under the issuer
    // With the address of the key set, no metadata is fetched.
    #[arg(long, value_name = "URL", conflicts_with = "jwks_uri")]
    pub(crate) metadata_url: Option<String>,
    /// The URL of the key set, if there is no metadata
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,
    /// Print JSON; with `--watch`, one line for each change
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep fetching the key set, and print what changes; Ctrl-C stops
    #[arg(long)]
    pub(crate) watch: bool,
    /// How often to fetch, such as `30s`
    /// [default: as often as a server would, by the issuer's headers]
    #[arg(long, value_name = "DURATION", requires = "watch", value_parser = interval)]
    pub(crate) every: Option<Duration>,
}

/// At least a second: it is somebody else's server.
fn interval(text: &str) -> Result<Duration, &'static str> {
    let Ok(duration) = humantime::parse_duration(text) else {
        return Err("expected a duration such as 30s or 5m");
    };
    if (1..=86_400).contains(&duration.as_secs()) {
        Ok(duration)
    } else {
        Err("expected a second to a day")
    }
}

const KEYS: &str = "\
Examples:
  $ portcullis keys https://idp.example
  $ portcullis keys https://idp.example --json
  $ portcullis keys https://idp.example --watch --every 30s
  $ portcullis keys --resource-url https://api.example/orders

With --watch, each line begins with a time and a word: `here` (at the start), `added`, `removed`,
`rotated` (one key replaces another), `changed` (usable or not), `outage` and `back`, `clock` (the
provider's differs from this machine's by more than ten seconds, or no longer does).

Exit codes: 0 success, 1 could not run, 4 there is no usable key.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_bounded() {
        assert_eq!(interval("30s"), Ok(Duration::from_secs(30)));
        for text in ["", "30", "0s", "999ms", "2days", "-1s"] {
            assert!(interval(text).is_err(), "{text:?}");
        }
    }
}
