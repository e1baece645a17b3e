//! Files that a person names; an error names the file.

use crate::exit::CommandError;
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
    written.map_err(|error| CommandError::in_file(path, error))
}
