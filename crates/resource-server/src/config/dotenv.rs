//! The file `.env`.

use portcullis_core::{ConfigError, ConfigErrors};
use std::collections::BTreeMap;
use std::path::Path;

/// The variables of a `.env` file; none if there is no file.
///
/// # Errors
///
/// A file that is there but cannot be read. Values are never shown.
pub fn dotenv(path: &Path) -> Result<BTreeMap<String, String>, ConfigErrors> {
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(BTreeMap::new()),
        Err(_) => return Err(dotenv_fault(path, "the file cannot be read")),
    };
    // The error would repeat the line, which may hold a secret.
    lines
        .collect::<Result<_, _>>()
        .map_err(|_| dotenv_fault(path, "a line is not of the form NAME=value"))
}

fn dotenv_fault(path: &Path, problem: &str) -> ConfigErrors {
    let help = "write lines like `OAUTH2_ISSUER=https://idp.example.com`, or remove the file";
    ConfigError::wrong(path.display().to_string(), problem)
        .help(help)
        .into()
}
