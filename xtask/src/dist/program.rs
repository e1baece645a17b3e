//! Running other programs: what they print, or why they failed.

use std::process::{Command, Stdio};

/// What a program prints on standard output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{name}`: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{name}` failed:\n{told}"))
}

/// The same, as text without the end of its last line.
pub(crate) fn text(command: &mut Command) -> Result<String, String> {
    let output = output(command)?;
    Ok(String::from_utf8_lossy(&output).trim_end().to_owned())
}
