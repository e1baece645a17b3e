//! A key set in a file: read like a fetched one, within the same bounds, and looked at every two
//! seconds.
//!
//! Refuses a file that is larger than the limit on documents, and one that is no key set with a
//! usable key; such a file never takes the place of good keys. Does not check who may write the
//! file: whoever can chooses the keys.

use super::KeyCache;
use super::refresh::RefreshFailure;
use portcullis_core::jose::Jwks;
use portcullis_core::{Limits, OutageCode};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a file is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// The key set of a file, with the bytes that it was read from; or why there is none.
pub fn read(path: &Path, limits: &Limits) -> Result<(Jwks, Vec<u8>), String> {
    let fault = |reason: String| format!("{}: {reason}", path.display());
    let largest = u64::try_from(limits.document_bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(largest.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(|error| fault(error.to_string()))?;
    let jwks = Jwks::parse(&bytes, limits).map_err(|error| fault(error.to_string()))?;
    Ok((jwks, bytes))
}

impl KeyCache {
    /// Puts the keys of the file in force. Says whether the file is another one than before.
    pub(super) async fn read_file(&self, path: PathBuf) -> Result<bool, RefreshFailure> {
        let limits = self.settings.limits;
        // Away from the async threads: a file may be on a slow disk.
        let read = tokio::task::spawn_blocking(move || read(&path, &limits)).await;
        let read = read.unwrap_or_else(|_| Err("the file was not read".to_owned()));
        let (jwks, bytes) = read.map_err(|reason| RefreshFailure {
            code: OutageCode::Keys,
            reason,
        })?;
        let changed = {
            let mut schedule = self.schedule();
            let changed = schedule.file.as_ref() != Some(&bytes);
            schedule.file = Some(bytes);
            changed
        };
        self.install(jwks, None);
        Ok(changed)
    }
}
