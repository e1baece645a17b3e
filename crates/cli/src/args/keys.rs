//! `portcullis keys`.

use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_long_help = KEYS)]
pub(crate) struct KeysArguments {
    /// The identity provider [env: OAUTH2_ISSUER, also from .env]
    pub(crate) issuer: Option<String>,
    /// A file with the certificates, in PEM, of a private authority to trust besides the usual ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The kind of provider, such as `cloudflare`, which says where its documents are
    /// [default: what the issuer shows]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Where the metadata is, if not under the issuer
    #[arg(long, value_name = "URL", conflicts_with = "jwks_uri")]
    pub(crate) metadata_url: Option<String>,
    /// Where the key set is, if there is no metadata
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,
    /// Print JSON; with `--watch` a line for each change
    #[arg(long)]
    pub(crate) json: bool,
    /// Look again and again, and print what changes; Ctrl-C ends it
    #[arg(long)]
    pub(crate) watch: bool,
    /// How often to look, such as `30s`
    /// [default: as often as the server would, by the issuer's headers]
    #[arg(long, value_name = "DURATION", requires = "watch", value_parser = every)]
    pub(crate) every: Option<Duration>,
}

/// A second at the least: it is somebody else's server.
fn every(text: &str) -> Result<Duration, String> {
    let duration =
        humantime::parse_duration(text).map_err(|_| "write it like `30s` or `5m`".to_owned())?;
    if (1..=86_400).contains(&duration.as_secs()) {
        Ok(duration)
    } else {
        Err("between a second and a day".to_owned())
    }
}

const KEYS: &str = "\
Examples:
  $ portcullis keys https://idp.example
  $ portcullis keys https://idp.example --json
  $ portcullis keys https://idp.example --watch --every 30s

Exit codes: 0 shown, 1 could not run, 4 no usable key can be had.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_bounded() {
        assert_eq!(every("30s"), Ok(Duration::from_secs(30)));
        for text in ["", "30", "0s", "999ms", "2days", "-1s"] {
            assert!(every(text).is_err(), "{text:?}");
        }
    }
}
