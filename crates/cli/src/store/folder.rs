//! The folder of the token store: files that nobody else can read, replaced as a whole, and locks between processes.

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
    /// `PORTCULLIS_STATE_DIR`, or `portcullis` in the user's folder for state (`XDG_STATE_HOME`, `~/.local/state`).
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
            Failure::with_cure(Exit::CouldNotRun, message, "set PORTCULLIS_STATE_DIR, or pass `--store none`")
        })?;
        Ok(Self(homes.state_dir().unwrap_or_else(|| homes.data_dir()).join("portcullis")))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file, if it is there.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.path(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(trouble(&path, &error)),
        };
        only_ours(&path, &file)?;
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).map_err(|error| trouble(&path, &error))?;
        Ok(Some(text))
    }

    /// Puts a file in the place of the one that is there: whoever reads sees the old one or the new one.
    pub(super) fn replace(&self, name: &str, text: &str) -> Result<(), Failure> {
        make(&self.0)?;
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
        make(path.parent().unwrap_or(&self.0))?;
        let told = |error: std::io::Error| trouble(&path, &error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = private(&mut options).open(&path).map_err(told)?;
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

/// Refuses a file that others can read or write, as ssh does: its content may be known, or not be ours.
fn only_ours(path: &Path, file: &File) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let mode = file.metadata().map_err(|error| trouble(path, &error))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            let message = format!("{}: other users can get at it (mode {mode:o})", path.display());
            let cure = format!("chmod 600 {}", path.display());
            return Err(Failure::with_cure(Exit::CouldNotRun, message, cure));
        }
    }
    _ = (path, file);
    Ok(())
}

fn trouble(path: &Path, error: &std::io::Error) -> Failure {
    let cure =
        "look at the folder's owner and mode, set PORTCULLIS_STATE_DIR to another, or pass `--store none`";
    Failure::with_cure(Exit::CouldNotRun, format!("{}: {error}", path.display()), cure)
}

/// How much of a file is read.
const LARGEST: u64 = 8 * 1024 * 1024;
