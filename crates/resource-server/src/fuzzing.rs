//! A doorway for the fuzz targets: bytes in, plain results out. It is no part of the API.
//!
//! It is there with the feature `fuzzing` only. See
//! `docs/decisions/0084-a-doorway-for-fuzz-targets.md`.

/// What is written of an entry of the revocation store that can be read.
///
/// # Errors
///
/// Why it cannot be read.
#[cfg(feature = "redis")]
pub fn rewritten(entry: &[&[u8]]) -> Result<Vec<(&'static str, String)>, &'static str> {
    crate::revocation::rewritten(entry)
}
