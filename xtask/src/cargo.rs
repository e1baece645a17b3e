//! Asking cargo, and running it.

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Cargo, in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    build_once(&mut command);
    command
}

/// Whether this is CI.
pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// On a machine that builds a commit once, what cargo keeps for the next build is kept in vain.
pub(crate) fn build_once(command: &mut Command) {
    if is_ci() {
        command.env("CARGO_INCREMENTAL", "0");
    }
}

/// What cargo knows of all packages.
pub(crate) fn metadata() -> Result<Value, String> {
    let output = cargo(&["metadata", "--format-version", "1", "--locked"])
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!(
            "cargo metadata failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// An array of the metadata; empty if it is not there.
pub(crate) fn array<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value
        .get(member)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A text of the metadata; empty if it is not there.
pub(crate) fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
