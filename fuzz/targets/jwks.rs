//! Any bytes as a key set.

use portcullis_core::Limits;
use portcullis_core::jose::Jwks;

pub(crate) fn run(data: &[u8]) {
    let limits = Limits::default();
    if let Ok(set) = Jwks::parse(data, &limits) {
        assert!(
            !set.keys().is_empty() && set.keys().len() + set.skipped_keys().len() <= limits.keys
        );
    }
}
