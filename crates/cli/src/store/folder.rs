//! The folder of the token store: private files that are replaced as a whole, and locks between
//! processes.
//!
//! A folder of another user is refused, and so is one that others can write to: the owner of a
//! folder can exchange its files, whatever their mode. The same goes for the files, and for
//! symbolic links, whose target somebody else may have chosen. The folders above are not checked.

use crate::exit::CommandError;
use etcetera::BaseStrategy as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// A lock between processes. It ends when it is dropped, or when the process ends.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: File,
}

impl Folder {
    /// The folder at this path, which need not exist.
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// `portcullis` in the user's folder for state (`XDG_STATE_HOME`, `~/.local/state`).
    ///
    /// # Errors
    ///
    /// A user without a home folder.
    pub(super) fn of_this_user() -> Result<Self, CommandError> {
        let Ok(homes) = etcetera::choose_base_strategy() else {
            return Err(
                CommandError::could_not_run("there is no home folder to store tokens in")
                    .help("set PORTCULLIS_STATE_DIR, or pass `--store none`"),
            );
        };
        // macOS and Windows know no folder for state.
        let state = homes.state_dir().unwrap_or_else(|| homes.data_dir());
        Ok(Self(state.join("portcullis")))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The text of a file, if the file exists.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, CommandError> {
        check_folder(&self.0)?;
        let path = self.path(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(&path, &error)),
        };
        // Checked after opening: the file that was checked is the one that is read.
        check_file(&path, &file)?;
        let mut text = String::new();
        match file.take(MAX_FILE_SIZE).read_to_string(&mut text) {
            Ok(_) => Ok(Some(text)),
            Err(error) => Err(io_error(&path, &error)),
        }
    }

    /// Replaces a file atomically: a reader sees the old content or the new one.
    pub(super) fn replace(&self, name: &str, text: &str) -> Result<(), CommandError> {
        self.create(&self.0)?;
        let (path, new) = (self.path(name), self.path(&format!("{name}.new")));
        write_and_rename(&new, &path, text).map_err(|error| io_error(&path, &error))
    }

    /// Waits for a lock. `on_wait` is called if another process holds it.
    pub(super) fn lock(
        &self,
        name: &str,
        on_wait: impl FnOnce(),
    ) -> Result<StoreLock, CommandError> {
        let path = self.path(name);
        self.create(path.parent().unwrap_or(&self.0))?;
        let mut options = OpenOptions::new();
        // The file stays when the lock ends: deleting it would let two processes hold one lock.
        options.write(true).create(true).truncate(false);
        let opened = restrict_to_owner(&mut options).open(&path);
        let file = opened.map_err(|error| io_error(&path, &error))?;
        check_file(&path, &file)?;
        let locked = match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                on_wait();
                file.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
        };
        match locked {
            Ok(()) => Ok(StoreLock { _file: file }),
            Err(error) => Err(io_error(&path, &error)),
        }
    }

    /// Creates this folder, or one in it, for this user alone.
    fn create(&self, path: &Path) -> Result<(), CommandError> {
        check_folder(&self.0)?;
        create_folder(path).map_err(|error| io_error(path, &error))?;
        check_folder(path)
    }

    /// Deletes a file, and returns whether it existed.
    pub(super) fn remove(&self, name: &str) -> Result<bool, CommandError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io_error(&path, &error)),
        }
    }
}

fn write_and_rename(new: &Path, path: &Path, text: &str) -> io::Result<()> {
    // A process that was killed halfway leaves its file behind, and `create_new` would refuse it.
    _ = std::fs::remove_file(new);
    let mut options = OpenOptions::new();
    let mut file = restrict_to_owner(options.write(true).create_new(true)).open(new)?;
    file.write_all(text.as_bytes())?;
    // Before the rename: after a power cut, an empty file would otherwise be in its place.
    file.sync_all()?;
    std::fs::rename(new, path)
}

fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates the file with a mode that keeps other users out from the start.
fn restrict_to_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Refuses a folder that is a link, belongs to another user, or can be written to by others. One
/// that does not exist passes.
fn check_folder(path: &Path) -> Result<(), CommandError> {
    #[cfg(unix)]
    {
        let metadata = match std::fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error(path, &error)),
        };
        if metadata.is_symlink() {
            return Err(
                CommandError::in_file(path, "expected a folder, found a symbolic link")
                    .help("name the folder that the link points to"),
            );
        }
        check_owner(path, &metadata)?;
        // Others may list it: the files in it are private.
        check_mode(path, &metadata, 0o022, "700")?;
    }
    _ = path;
    Ok(())
}

/// Refuses a file that others can read or write, as ssh does: its content may be known, or forged.
fn check_file(path: &Path, file: &File) -> Result<(), CommandError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let opened = file
            .metadata()
            .map_err(|error| io_error(path, &error))?;
        let at_path = std::fs::symlink_metadata(path).map_err(|error| io_error(path, &error))?;
        // Opening followed the link, if there is one: then the path itself is another inode.
        if (at_path.dev(), at_path.ino()) != (opened.dev(), opened.ino()) {
            return Err(
                CommandError::in_file(path, "expected a file, found a symbolic link")
                    .help("remove the link"),
            );
        }
        check_owner(path, &opened)?;
        check_mode(path, &opened, 0o077, "600")?;
    }
    _ = (path, file);
    Ok(())
}

#[cfg(unix)]
fn check_owner(path: &Path, metadata: &std::fs::Metadata) -> Result<(), CommandError> {
    let owner = std::os::unix::fs::MetadataExt::uid(metadata);
    let user = rustix::process::geteuid().as_raw();
    if owner == user {
        return Ok(());
    }
    let problem = format!("expected user {user} as its owner, found user {owner}");
    Err(CommandError::in_file(path, problem)
        .help("set PORTCULLIS_STATE_DIR to a folder of your own, or pass `--store none`"))
}

/// Refuses a mode with any of these bits.
#[cfg(unix)]
fn check_mode(
    path: &Path,
    metadata: &std::fs::Metadata,
    forbidden: u32,
    expected: &str,
) -> Result<(), CommandError> {
    let mode = std::os::unix::fs::MetadataExt::mode(metadata) & 0o777;
    if mode & forbidden == 0 {
        return Ok(());
    }
    let problem = format!("expected no access for other users, found mode {mode:o}");
    let help = format!("chmod {expected} {}", path.display());
    Err(CommandError::in_file(path, problem).help(help))
}

fn io_error(path: &Path, error: &io::Error) -> CommandError {
    CommandError::in_file(path, error).help(
        "check the folder's owner and mode, set PORTCULLIS_STATE_DIR to another folder, or pass \
            `--store none`",
    )
}

/// The bound on a file: one that somebody inflated must not fill the memory.
const MAX_FILE_SIZE: u64 = 8 * 1024 * 1024;

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    /// A folder that is deleted when the test ends.
    struct TestFolder(PathBuf);

    impl TestFolder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir()
                .join(format!("portcullis-folder-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for TestFolder {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Asserts that every use of the folder fails with this message.
    fn assert_refused(folder: &Folder, expected: &str) {
        let read = folder.read("tokens.json").map(|_| ());
        let replaced = folder.replace("tokens.json", "{}");
        let locked = folder.lock("locks/tokens", || {}).map(|_| ());
        for outcome in [read, replaced, locked] {
            let message = format!("{:?}", outcome.unwrap_err());
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let place = TestFolder::new("owner");
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            chown(&place.0, Some(65_534), None).unwrap();
            assert_refused(&Folder::at(&place.0), "found user 65534");
        } else {
            // Only root can give a folder away, so this takes one that root owns.
            assert!(check_folder(Path::new("/usr")).is_err());
        }
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        let place = TestFolder::new("file");
        let folder = Folder::at(&place.0);
        folder.replace("tokens.json", "{}").unwrap();
        assert_eq!(folder.read("tokens.json").unwrap().as_deref(), Some("{}"));
        if rustix::process::geteuid().is_root() {
            chown(folder.path("tokens.json"), Some(65_534), None).unwrap();
            let message = format!("{:?}", folder.read("tokens.json").unwrap_err());
            assert!(message.contains("found user 65534"), "{message}");
        }
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        let place = TestFolder::new("mode");
        for mode in [0o770, 0o702, 0o777] {
            std::fs::set_permissions(&place.0, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_refused(&Folder::at(&place.0), "no access for other users");
        }
        std::fs::set_permissions(&place.0, std::fs::Permissions::from_mode(0o755)).unwrap();
        Folder::at(&place.0)
            .replace("tokens.json", "{}")
            .unwrap();
    }

    #[test]
    fn no_symbolic_link_is_followed() {
        let (place, other) = (TestFolder::new("links"), TestFolder::new("elsewhere"));
        let link = place.0.join("link");
        symlink(&other.0, &link).unwrap();
        assert_refused(&Folder::at(&link), "found a symbolic link");
        let elsewhere = Folder::at(&other.0);
        elsewhere.replace("tokens.json", "{}").unwrap();
        let folder = Folder::at(&place.0);
        symlink(elsewhere.path("tokens.json"), folder.path("tokens.json")).unwrap();
        let message = format!("{:?}", folder.read("tokens.json").unwrap_err());
        assert!(message.contains("found a symbolic link"), "{message}");
        // Replacing exchanges the link itself, and leaves its target alone.
        folder.replace("tokens.json", "[]").unwrap();
        assert_eq!(
            elsewhere.read("tokens.json").unwrap().as_deref(),
            Some("{}")
        );
    }
}
