//! The folder of the token store: files that nobody else can read, replaced as a whole, and locks
//! between processes.
//!
//! Refused is a folder of another user, or one that others can write to: whoever owns a folder can
//! put another file in the place of ours, whatever its mode. The same goes for files, and for
//! symbolic links, whose target somebody else may have chosen. Not checked are the folders above
//! it.

use crate::exit::{Exit, Failure};
use etcetera::BaseStrategy as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// A lock; it ends when this is dropped, or the process.
#[derive(Debug)]
pub(crate) struct Held {
    _file: File,
}

impl Folder {
    /// `PORTCULLIS_STATE_DIR`, or `portcullis` in the user's folder for state (`XDG_STATE_HOME`,
    /// `~/.local/state`).
    ///
    /// # Errors
    ///
    /// A user without a home.
    pub(crate) fn usual(named: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(named) = named {
            return Ok(Self(named));
        }
        let homes = etcetera::choose_base_strategy();
        let homes = homes.map_err(|_| {
            let message = "there is no home folder to keep tokens in";
            Failure::with_cure(
                Exit::CouldNotRun,
                message,
                "set PORTCULLIS_STATE_DIR, or pass `--store none`",
            )
        })?;
        Ok(Self(
            homes
                .state_dir()
                .unwrap_or_else(|| homes.data_dir())
                .join("portcullis"),
        ))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file, if it is there.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        our_folder(&self.0)?;
        let path = self.path(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(trouble(&path, &error)),
        };
        only_ours(&path, &file)?;
        let mut text = String::new();
        file.take(LARGEST)
            .read_to_string(&mut text)
            .map_err(|error| trouble(&path, &error))?;
        Ok(Some(text))
    }

    /// Puts a file in the place of the one that is there: whoever reads sees the old one or the new
    /// one.
    pub(super) fn replace(&self, name: &str, text: &str) -> Result<(), Failure> {
        self.make(&self.0)?;
        let (path, new) = (self.path(name), self.path(&format!("{name}.new")));
        // What a process left that was killed just here.
        _ = std::fs::remove_file(&new);
        let write = || {
            let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &path)
        };
        write().map_err(|error| trouble(&path, &error))
    }

    /// Waits for a lock; `waiting` is called if another process has it.
    pub(super) fn lock(&self, name: &str, waiting: impl FnOnce()) -> Result<Held, Failure> {
        let path = self.path(name);
        self.make(path.parent().unwrap_or(&self.0))?;
        let told = |error: std::io::Error| trouble(&path, &error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = private(&mut options).open(&path).map_err(told)?;
        only_ours(&path, &file)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().map_err(told)?;
            }
            Err(TryLockError::Error(error)) => return Err(told(error)),
        }
        Ok(Held { _file: file })
    }

    /// Makes a folder in this one, or this one, for this user alone.
    fn make(&self, path: &Path) -> Result<(), Failure> {
        our_folder(&self.0)?;
        make(path)?;
        our_folder(path)
    }

    /// Removes a file; it is no failure if there is none.
    pub(super) fn remove(&self, name: &str) -> Result<bool, Failure> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(trouble(&path, &error)),
        }
    }

    #[cfg(test)]
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

/// A folder for this user alone.
fn make(path: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| trouble(path, &error))
}

/// A file that is made for this user alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Refuses a folder that is a link, another user's, or one that others can write to. One that is
/// not there is none.
fn our_folder(path: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        let found = match std::fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(trouble(path, &error)),
        };
        if found.is_symlink() {
            let message = format!(
                "{}: expected a folder, found a symbolic link",
                path.display()
            );
            return Err(Failure::with_cure(
                Exit::CouldNotRun,
                message,
                "name the folder that it leads to",
            ));
        }
        our_own(path, &found, 0o022, "700")?;
    }
    _ = path;
    Ok(())
}

/// Refuses a file that others can read or write, as ssh does: its content may be known, or not be
/// ours.
fn only_ours(path: &Path, file: &File) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let found = file.metadata().map_err(|error| trouble(path, &error))?;
        let named = std::fs::symlink_metadata(path).map_err(|error| trouble(path, &error))?;
        if (named.dev(), named.ino()) != (found.dev(), found.ino()) {
            let message = format!("{}: expected a file, found a symbolic link", path.display());
            return Err(Failure::with_cure(
                Exit::CouldNotRun,
                message,
                "remove the link",
            ));
        }
        our_own(path, &found, 0o077, "600")?;
    }
    _ = (path, file);
    Ok(())
}

/// Refuses what another user owns, and what has any of these bits in its mode.
#[cfg(unix)]
fn our_own(path: &Path, found: &std::fs::Metadata, bits: u32, cure: &str) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, user, mode) = (
        found.uid(),
        rustix::process::geteuid().as_raw(),
        found.mode() & 0o777,
    );
    if owner != user {
        let message = format!(
            "{}: it belongs to user {owner}, and this is user {user}",
            path.display()
        );
        let cure = "set PORTCULLIS_STATE_DIR to a folder of your own, or pass `--store none`";
        return Err(Failure::with_cure(Exit::CouldNotRun, message, cure));
    }
    if mode & bits != 0 {
        let message = format!(
            "{}: other users can get at it (mode {mode:o})",
            path.display()
        );
        return Err(Failure::with_cure(
            Exit::CouldNotRun,
            message,
            format!("chmod {cure} {}", path.display()),
        ));
    }
    Ok(())
}

fn trouble(path: &Path, error: &std::io::Error) -> Failure {
    let cure = "look at the folder's owner and mode, set PORTCULLIS_STATE_DIR to another, or pass \
        `--store none`";
    Failure::with_cure(
        Exit::CouldNotRun,
        format!("{}: {error}", path.display()),
        cure,
    )
}

/// How much of a file is read.
const LARGEST: u64 = 8 * 1024 * 1024;

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    /// A folder that is removed at the end.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir()
                .join(format!("portcullis-folder-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Every use of the folder is refused, and says this.
    fn assert_refused(folder: &Folder, expected: &str) {
        let read = folder.read("tokens.json").map(|_| ());
        let replaced = folder.replace("tokens.json", "{}");
        let locked = folder.lock("locks/tokens", || {}).map(|_| ());
        for outcome in [read, replaced, locked] {
            let told = format!("{:?}", outcome.unwrap_err());
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let place = Place::new("owner");
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            chown(&place.0, Some(65_534), None).unwrap();
            assert_refused(&Folder::at(&place.0), "belongs to user 65534");
        } else {
            // What is the administrator's cannot be made ours, nor the other way round.
            assert!(our_folder(Path::new("/usr")).is_err());
        }
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        let place = Place::new("file");
        let folder = Folder::at(&place.0);
        folder.replace("tokens.json", "{}").unwrap();
        assert_eq!(folder.read("tokens.json").unwrap().as_deref(), Some("{}"));
        if rustix::process::geteuid().is_root() {
            chown(folder.path("tokens.json"), Some(65_534), None).unwrap();
            let told = format!("{:?}", folder.read("tokens.json").unwrap_err());
            assert!(told.contains("belongs to user 65534"), "{told}");
        }
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        let place = Place::new("mode");
        for mode in [0o770, 0o702, 0o777] {
            std::fs::set_permissions(&place.0, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_refused(&Folder::at(&place.0), "other users can get at it");
        }
        std::fs::set_permissions(&place.0, std::fs::Permissions::from_mode(0o755)).unwrap();
        Folder::at(&place.0).replace("tokens.json", "{}").unwrap();
    }

    #[test]
    fn no_symbolic_link_is_followed() {
        let (place, other) = (Place::new("links"), Place::new("elsewhere"));
        let link = place.0.join("link");
        symlink(&other.0, &link).unwrap();
        assert_refused(&Folder::at(&link), "found a symbolic link");
        let elsewhere = Folder::at(&other.0);
        elsewhere.replace("tokens.json", "{}").unwrap();
        let folder = Folder::at(&place.0);
        symlink(elsewhere.path("tokens.json"), folder.path("tokens.json")).unwrap();
        let told = format!("{:?}", folder.read("tokens.json").unwrap_err());
        assert!(told.contains("found a symbolic link"), "{told}");
        // To replace puts a file in the place of the link, and leaves the other one as it is.
        folder.replace("tokens.json", "[]").unwrap();
        assert_eq!(
            elsewhere.read("tokens.json").unwrap().as_deref(),
            Some("{}")
        );
    }
}
