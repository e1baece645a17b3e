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
