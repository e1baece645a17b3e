//! What is released: the version, for which machine, from which commit, and when.

use crate::cargo::root;
use crate::dist::program::text;
use crate::dist::tree::Effort;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Release {
    pub(crate) binary: PathBuf,
    pub(crate) version: &'static str,
    /// Rust's name of the machine.
    pub(crate) target: String,
    /// The name that Debian and OCI give it.
    pub(crate) architecture: &'static str,
    /// Seconds since 1970, for all that has a time.
    pub(crate) epoch: u64,
    /// The commit, if this is a checkout.
    pub(crate) revision: Option<String>,
    pub(crate) effort: Effort,
}

impl Release {
    pub(crate) fn of_checkout(binary: &Path, effort: Effort) -> Result<Self, String> {
        let binary = std::fs::canonicalize(binary)
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => return Err(format!("no packages are made for {other}")),
        };
        Ok(Self {
            binary,
            version: env!("CARGO_PKG_VERSION"),
            target: host()?,
            architecture,
            epoch: epoch()?,
            revision: text(&mut git(&["rev-parse", "HEAD"])).ok(),
            effort,
        })
    }

    /// The time of the release, in a form that GNU date knows.
    pub(crate) fn time(&self, form: &str) -> Result<String, String> {
        let at = format!("@{}", self.epoch);
        let mut date = Command::new("date");
        text(
            date.args(["--utc", "--date", &at, form])
                .env("LC_ALL", "C"),
        )
    }
}

/// Whether a file of this name is of a release: `target/dist` is the compiler's folder too.
pub(crate) fn is_published(name: &str) -> bool {
    let ends = [".tar.gz", ".deb", ".tar", ".json"];
    let is_ours = name.starts_with("portcullis-") || name.starts_with("portcullis_");
    name == "SHA256SUMS" || (is_ours && ends.iter().any(|end| name.ends_with(end)))
}

fn host() -> Result<String, String> {
    let told = text(Command::new("rustc").arg("-vV"))?;
    let host = told
        .lines()
        .find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "rustc does not say what machine this is".to_owned())
}

/// `SOURCE_DATE_EPOCH`, or the time of the last commit.
fn epoch() -> Result<u64, String> {
    let time = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(time) => time,
        Err(_) => text(&mut git(&["log", "-1", "--format=%ct"]))
            .map_err(|_| "set SOURCE_DATE_EPOCH: there is no commit to ask".to_owned())?,
    };
    time.parse()
        .map_err(|_| format!("SOURCE_DATE_EPOCH: expected seconds, found `{time}`"))
}

fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_files_are_left_alone() {
        for name in [
            "SHA256SUMS",
            "portcullis_0.1.0_amd64.deb",
            "portcullis-0.1.0-oci-amd64.tar",
        ] {
            assert!(is_published(name), "{name}");
        }
        for name in ["portcullis", "portcullis.d", ".fingerprint", "deps"] {
            assert!(!is_published(name), "{name}");
        }
    }
}
