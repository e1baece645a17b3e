//! Files that a person names; an error names the file.

use crate::exit::CommandError;
#[cfg(unix)]
use crate::reporter::Reporter;
use std::io::ErrorKind;
use std::path::Path;

/// The text of a file.
///
/// # Errors
///
/// A file that cannot be read, or is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|error| CommandError::in_file(path, error))
}

/// The bytes of a file.
///
/// # Errors
///
/// A file that cannot be read.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path).map_err(|error| CommandError::in_file(path, error))
}

/// Writes a file that is not there yet.
///
/// # Errors
///
/// A file that exists, or cannot be written.
pub(crate) fn create(path: &Path, text: &str) -> Result<(), CommandError> {
    // One call checks and creates: in a gap between, another program could write the file.
    let written = std::fs::File::create_new(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let problem = "expected no file of that name, found one; it is left as it is";
            CommandError::in_file(path, problem)
                .help("use it, name another file with `--config`, or remove it first")
        }
        _ => CommandError::in_file(path, error),
    })
}

/// Warns of a file with a secret that every user of this machine can read.
#[cfg(unix)]
pub(crate) fn warn_if_shared(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    // Of an error, the reader of the file will tell.
    let mode = std::fs::metadata(path).map_or(0, |found| found.permissions().mode());
    if mode & 0o004 != 0 {
        let file = path.display();
        Reporter { quiet: false }.note(&format!(
            "{file}: every user of this machine can read this secret; `chmod 600 {file}` ends that"
        ));
    }
}

/// Other systems have no such bit.
#[cfg(not(unix))]
pub(crate) fn warn_if_shared(_: &Path) {}
