//! Digests, by coreutils.

use crate::dist::program::text;
use std::path::Path;
use std::process::Command;

/// The SHA-256 digest of a file, in hexadecimal.
pub(crate) fn sha256(file: &Path) -> Result<String, String> {
    let told = text(Command::new("sha256sum").arg("--").arg(file))?;
    told.get(..64)
        .map(str::to_owned)
        .ok_or_else(|| format!("sha256sum says `{told}`"))
}

/// Writes `SHA256SUMS` over all files of a folder; returns its text.
pub(crate) fn write(folder: &Path) -> Result<String, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
    {
        names.push(entry.file_name());
    }
    names.sort();
    let mut command = Command::new("sha256sum");
    let sums = text(command.arg("--").args(names).current_dir(folder))?;
    std::fs::write(folder.join("SHA256SUMS"), format!("{sums}\n"))
        .map_err(|error| format!("SHA256SUMS: {error}"))?;
    Ok(sums)
}
