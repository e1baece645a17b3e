//! The mode of a file with a private key.

use std::path::Path;

const CURE: &str = "set its mode to 0600, or to 0640 for a group";

/// Warns if every user of the machine can read a private key, or replace it. A group may: mounted
/// secrets belong to one.
pub(crate) fn warn_if_open(path: &Path) {
    #[cfg(unix)]
    if let Some(mode) = open_mode(path) {
        tracing::warn!(
            facts = format_args!("{} has mode {mode:04o}", path.display()),
            cure = CURE,
            "a private key is readable or writable by every user"
        );
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// The mode of a file that others can read or write.
#[cfg(unix)]
fn open_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    const OTHERS: u32 = 0o006;
    let found = std::fs::metadata(path).ok()?;
    let mode = found.mode() & 0o777;
    (found.is_file() && mode & OTHERS != 0).then_some(mode)
}
