//! A doorway for the fuzz targets: bytes in, plain results out. It is no part of the API.
//!
//! It exists with the feature `fuzzing` only. See
//! `docs/decisions/0084-a-doorway-for-fuzz-targets.md`.

/// An entry of the revocation store, read and written again.
///
/// # Errors
///
/// Why it cannot be read.
#[cfg(feature = "redis")]
pub fn rewrite(entry: &[&[u8]]) -> Result<Vec<(&'static str, String)>, &'static str> {
    crate::revocation::rewrite(entry)
}
