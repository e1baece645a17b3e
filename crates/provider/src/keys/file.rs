//! A key set in a file: read like a fetched one, within the same bounds, and looked at every two
//! seconds.
//!
//! Refuses a file that is larger than the limit on documents, and one that is no key set with a
//! usable key; such a file never takes the place of good keys. Does not check who may write the
//! file: whoever can write it chooses the keys.

use super::KeyCache;
use super::failure::RefreshFailure;
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a file is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// The key set of a file, with the bytes that it was read from; or why there is none.
///
/// # Errors
///
/// What is wrong with the file, with its path.
pub fn read(path: &Path, limits: &Limits) -> Result<(Jwks, Vec<u8>), String> {
    let bytes = match read_bounded(path, limits.document_bytes) {
        Ok(bytes) => bytes,
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    match Jwks::parse(&bytes, limits) {
        Ok(jwks) => Ok((jwks, bytes)),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// The bytes of a file. It stops one byte behind the limit, so the parser refuses a larger file and
/// says why.
fn read_bounded(path: &Path, largest: usize) -> io::Result<Vec<u8>> {
    let largest = u64::try_from(largest).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(largest.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl KeyCache {
    /// Puts the keys of the file in force. Says whether the file is another one than before.
    pub(super) async fn read_file(&self, path: PathBuf) -> Result<bool, RefreshFailure> {
        let limits = self.egress.limits;
        // Away from the async threads: a file may be on a slow disk.
        let read = tokio::task::spawn_blocking(move || read(&path, &limits)).await;
        let (jwks, bytes) = match read {
            Ok(Ok(found)) => found,
            Ok(Err(reason)) => return Err(RefreshFailure::of_keys(reason)),
            Err(_) => return Err(RefreshFailure::of_keys("the file was not read")),
        };
        let changed = self.remember_file(bytes);
        // Also where it is the same: the keys are good for longer from now on.
        self.install(jwks, None);
        Ok(changed)
    }

    /// Remembers what the file holds; says whether that is something else than before.
    fn remember_file(&self, bytes: Vec<u8>) -> bool {
        let mut schedule = self.schedule();
        let changed = schedule.file.as_ref() != Some(&bytes);
        schedule.file = Some(bytes);
        changed
    }
}
