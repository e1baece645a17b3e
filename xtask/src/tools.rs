//! What the tests need from outside, installed by their own lock files, or named when it cannot be had.

use crate::cargo::root;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Installs the certified identity provider of the end-to-end suite. Answers with its folder.
pub(crate) fn oidc_provider() -> Result<PathBuf, String> {
    let folder = root().join("conformance/e2e/oidc-provider");
    for program in ["node", "npm"] {
        let version =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !version.is_ok_and(|status| status.success()) {
            return Err(format!("`{program}` is missing: install Node.js 20 or later"));
        }
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder)
        .status();
    match status {
        Ok(status) if status.success() => Ok(folder),
        _ => Err("`npm ci` failed: is the npm registry reachable?".to_owned()),
    }
}

/// The folder of other people's vectors, if it is there.
pub(crate) fn vectors() -> Result<PathBuf, String> {
    let beside = || root().join("../shared/vectors");
    let folder = std::env::var_os("PORTCULLIS_VECTORS").map_or_else(beside, PathBuf::from);
    if folder.is_dir() { Ok(folder) } else { Err("set PORTCULLIS_VECTORS to their folder".to_owned()) }
}
