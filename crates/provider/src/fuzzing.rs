//! A doorway for the fuzz targets: bytes in, plain results out. It is no part of the API.
//!
//! It is there with the feature `fuzzing` only. See
//! `docs/decisions/0084-a-doorway-for-fuzz-targets.md`.

use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};

/// A fetched document without its coding, of at most `largest` bytes.
///
/// # Errors
///
/// Why it cannot be read.
pub fn decode(coding: &HeaderValue, body: Vec<u8>, largest: usize) -> Result<Vec<u8>, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, coding.clone());
    crate::fetch::without_coding(&headers, body, largest)
}
