//! Bounds on the work that untrusted bytes can cause.

use serde::Deserialize;

/// How much a caller or an identity provider may make us read.
///
/// Every bound is checked before the work that it bounds. The defaults fit all providers we know.
///
/// ```
/// use portcullis_core::Limits;
///
/// let limits = Limits { token_bytes: 8_192, ..Limits::default() };
/// assert_eq!(limits.keys_tried, 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest token, in bytes. Default 16,384.
    pub token_bytes: usize,
    /// Deepest nesting of JSON, where `{}` is 1. Default 32.
    pub json_depth: usize,
    /// Most values in one JSON document, members and elements together. Default 2,000 for tokens;
    /// key sets and metadata may hold ten times as many.
    pub json_values: usize,
    /// Largest key set or metadata document, in bytes. Default 524,288.
    pub document_bytes: usize,
    /// Most keys in one key set. Default 100.
    pub keys: usize,
    /// Most keys tried for one token, if its `kid` is absent or shared. Default 4.
    pub keys_tried: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: 16_384,
            json_depth: 32,
            json_values: 2_000,
            document_bytes: 512 * 1024,
            keys: 100,
            keys_tried: 4,
        }
    }
}
