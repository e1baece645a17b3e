//! Which token store is used, and how it is opened.
//!
//! Left to itself: with a passphrase, the file that it opens; else the keyring, if there is one
//! that answers; else a file with its key beside it; on a CI machine none at all, since nothing
//! there is kept for long and much is copied. A store that is named is used or complained about.
//! The keyring's tokens and the others are in two files, so that a session from afar, which reaches
//! no keyring, neither fails nor overwrites.

use super::TokenStore;
use super::folder::Folder;
use super::key::{Key, bad_key_file};
use super::keyring::{self, Trouble};
use super::sealed::{Document, ITERATIONS, Sealing};
use crate::exit::{Exit, Failure};
use portcullis_core::jose::base64url;
use std::path::Path;
use zeroize::Zeroizing;

/// Where tokens are to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Keeping {
    /// The keyring if there is one, else a file; nowhere on a CI machine
    #[default]
    Auto,
    /// An encrypted file whose key is in the OS keyring
    Keyring,
    /// An encrypted file; the key is made from PORTCULLIS_PASSPHRASE, or is in a file beside it
    File,
    /// Nowhere: each call gets a new token
    None,
}

/// What there is to open a store with.
pub(crate) struct Means {
    pub(crate) folder: Folder,
    /// `PORTCULLIS_PASSPHRASE`.
    pub(crate) passphrase: Option<Zeroizing<String>>,
    /// Whether this is a CI machine.
    pub(crate) ci: bool,
    /// Asks for the passphrase, where somebody is there to be asked.
    pub(crate) ask: fn() -> Option<Zeroizing<String>>,
}

/// Opens the store; none where tokens are kept nowhere.
///
/// # Errors
///
/// A store that was named and cannot be used; one that is there and cannot be read.
pub(crate) fn open(keeping: Keeping, means: &Means) -> Result<Option<TokenStore>, Failure> {
    match keeping {
        Keeping::None => Ok(None),
        Keeping::File => in_file(means).map(Some),
        Keeping::Keyring => in_keyring(means).map(Some).map_err(Failure::from),
        Keeping::Auto if means.passphrase.is_some() => in_file(means).map(Some),
        Keeping::Auto if means.ci => Ok(None),
        Keeping::Auto => match in_keyring(means) {
            Ok(store) => Ok(Some(store)),
            Err(Opening::Trouble(Trouble::Unreachable(_))) => in_file(means).map(Some),
            Err(other) => Err(other.into()),
        },
    }
}

/// Removes every store of this user, and the keys. Answers whether there was any.
///
/// # Errors
///
/// A file that cannot be removed.
pub(crate) fn clear_all(folder: &Folder) -> Result<bool, Failure> {
    let mut any = folder.remove(KEYRING_FILE)?;
    if any {
        // Where there is no keyring any more there is nothing to take out of it.
        _ = keyring::forget();
    }
    for name in [FILE, KEY_FILE] {
        any |= folder.remove(name)?;
    }
    Ok(any)
}

enum Opening {
    Trouble(Trouble),
    Failure(Failure),
}

impl From<Trouble> for Opening {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Failure> for Opening {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Opening> for Failure {
    fn from(opening: Opening) -> Self {
        match opening {
            Opening::Trouble(trouble) => trouble.into(),
            Opening::Failure(failure) => failure,
        }
    }
}

fn in_keyring(means: &Means) -> Result<TokenStore, Opening> {
    let there = means.folder.read(KEYRING_FILE)?.is_some();
    let key = match keyring::find() {
        // Two processes that begin at once must agree on one key.
        Err(Trouble::NoKey) if !there => {
            let _held = means.folder.lock("locks/tokens", || {})?;
            match keyring::find() {
                Err(Trouble::NoKey) => {
                    let key = Key::random()?;
                    keyring::keep(&key)?;
                    key
                }
                other => other?,
            }
        }
        other => other?,
    };
    Ok(TokenStore {
        folder: means.folder.clone(),
        name: KEYRING_FILE,
        sealing: Sealing::Keyring,
        key,
    })
}

fn in_file(means: &Means) -> Result<TokenStore, Failure> {
    let folder = &means.folder;
    let path = folder.path(FILE);
    let document = match folder.read(FILE)? {
        Some(text) => Some(Document::parse(&text).map_err(|problem| unreadable(&path, &problem))?),
        None => None,
    };
    let store = |sealing, key| TokenStore {
        folder: folder.clone(),
        name: FILE,
        sealing,
        key,
    };
    match (document.map(|document| document.key), &means.passphrase) {
        (Some(sealing @ Sealing::Passphrase { .. }), given) => {
            let passphrase = given
                .clone()
                .or_else(means.ask)
                .ok_or_else(|| no_passphrase(&path))?;
            let key = derived(&sealing, &passphrase)
                .ok_or_else(|| unreadable(&path, "its salt is broken"))?;
            let store = store(sealing, key);
            store.entries().map_err(|_| wrong_passphrase(&path))?;
            Ok(store)
        }
        (Some(_), None) => Ok(store(Sealing::KeyFile, key_file(folder, false)?)),
        (None, None) => Ok(store(Sealing::KeyFile, key_file(folder, true)?)),
        (Some(_) | None, Some(passphrase)) => seal_anew(folder, passphrase),
    }
}

/// A store with this passphrase: a new one, or the one whose key was in a file until now.
fn seal_anew(folder: &Folder, passphrase: &str) -> Result<TokenStore, Failure> {
    let store = |sealing, key| TokenStore {
        folder: folder.clone(),
        name: FILE,
        sealing,
        key,
    };
    let _held = folder.lock("locks/tokens", || {})?;
    let found = folder
        .read(FILE)?
        .map(|text| Document::parse(&text).map(|document| document.key));
    let entries = match found {
        Some(Ok(Sealing::KeyFile)) => {
            store(Sealing::KeyFile, key_file(folder, false)?).entries()?
        }
        None => Vec::new(),
        // Another process was faster.
        Some(_) => {
            return Err(unreadable(
                &folder.path(FILE),
                "it was made just now by another process",
            ));
        }
    };
    let salt = Key::random()?.to_text();
    let sealing = Sealing::Passphrase {
        salt: salt.to_string(),
        iterations: ITERATIONS,
    };
    let key = derived(&sealing, passphrase).map_or_else(Key::random, Ok)?;
    let store = store(sealing, key);
    store.write(&entries)?;
    folder.remove(KEY_FILE)?;
    Ok(store)
}

fn derived(sealing: &Sealing, passphrase: &str) -> Option<Key> {
    let Sealing::Passphrase { salt, iterations } = sealing else {
        return None;
    };
    Some(Key::derive(
        passphrase,
        &base64url::decode(salt).ok()?,
        *iterations,
    ))
}

/// The key beside the tokens; made if `make` says so.
fn key_file(folder: &Folder, make: bool) -> Result<Key, Failure> {
    let path = folder.path(KEY_FILE);
    let read = || match folder.read(KEY_FILE)? {
        Some(text) => Key::from_text(&text)
            .map(Some)
            .ok_or_else(|| bad_key_file(&path)),
        None => Ok(None),
    };
    if let Some(key) = read()? {
        return Ok(key);
    }
    if !make {
        return Err(bad_key_file(&path));
    }
    let _held = folder.lock("locks/tokens", || {})?;
    // Another process may have made it while this one waited.
    if let Some(key) = read()? {
        return Ok(key);
    }
    let key = Key::random()?;
    folder.replace(KEY_FILE, &key.to_text())?;
    Ok(key)
}

/// A store that is there and cannot be read.
pub(super) fn unreadable(path: &Path, problem: &str) -> Failure {
    let message = format!(
        "the token store {} cannot be read: {problem}; it is left as it is",
        path.display()
    );
    let cure = "put a good copy back; or `portcullis token clear --all` to begin anew; or pass \
        `--store none`";
    Failure::with_cure(Exit::CouldNotRun, message, cure)
}

fn no_passphrase(path: &Path) -> Failure {
    let message = format!("the token store {} needs its passphrase", path.display());
    let cure = "set PORTCULLIS_PASSPHRASE; or pass `--store none`";
    Failure::with_cure(Exit::CouldNotRun, message, cure)
}

fn wrong_passphrase(path: &Path) -> Failure {
    let message = format!(
        "the token store {} is not opened by this passphrase, or was changed; it is left as it is",
        path.display()
    );
    let cure = "try again; or `portcullis token clear --all` to begin anew; or pass `--store none`";
    Failure::with_cure(Exit::CouldNotRun, message, cure)
}

const KEYRING_FILE: &str = "tokens-keyring.json";
const FILE: &str = "tokens.json";
const KEY_FILE: &str = "tokens.key";
