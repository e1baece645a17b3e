//! Which token store is used, and how it is opened.
//!
//! `auto` takes the file that a passphrase opens; without one, the keyring if it responds; else a
//! file with its key next to it. On a CI machine it stores nothing: little there lives long, and
//! much is copied. A store that is named is used, or is an error.
//!
//! The keyring's tokens are in a file of their own. So a remote session that reaches no keyring
//! neither fails nor overwrites them.

use super::error::{bad_key_file, no_passphrase, unreadable, wrong_passphrase};
use super::folder::Folder;
use super::key::StoreKey;
use super::keyring::{self, KeyringError};
use super::sealed::{ITERATIONS, KeyOrigin, SealedFile};
use super::tokens::TokenStore;
use crate::exit::CommandError;
use crate::reporter::Reporter;
use portcullis_core::jose::base64url;
use zeroize::Zeroizing;

/// Where tokens are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StoreKind {
    /// The keyring if there is one, else a file; nowhere on a CI machine
    #[default]
    Auto,
    /// An encrypted file whose key is in the OS keyring
    Keyring,
    /// An encrypted file; its key is derived from PORTCULLIS_PASSPHRASE, or is in a file next to it
    File,
    /// Nowhere: every call requests a new token
    None,
}

/// What is needed to open a store.
pub(super) struct StoreEnvironment {
    pub(super) folder: Folder,
    /// `PORTCULLIS_PASSPHRASE`.
    pub(super) passphrase: Option<Zeroizing<String>>,
    /// Whether this is a CI machine.
    pub(super) ci: bool,
    /// Asks the person at the terminal, if any, for the passphrase.
    pub(super) prompt: fn() -> Option<Zeroizing<String>>,
}

/// Opens the store; none if tokens are not stored.
///
/// # Errors
///
/// A named store that cannot be used, and an existing one that cannot be read.
pub(super) fn open(
    kind: StoreKind,
    environment: &StoreEnvironment,
) -> Result<Option<TokenStore>, CommandError> {
    let store = match kind {
        StoreKind::None => return Ok(None),
        StoreKind::File => open_file(environment)?,
        StoreKind::Keyring => open_keyring(environment)?,
        // A passphrase is set on purpose, so it wins over the keyring, on a CI machine too.
        StoreKind::Auto if environment.passphrase.is_some() => open_file(environment)?,
        StoreKind::Auto if environment.ci => return Ok(None),
        StoreKind::Auto => match open_keyring(environment) {
            Ok(store) => store,
            Err(OpenError::Keyring(KeyringError::Unreachable(_) | KeyringError::Missing(_))) => {
                open_file(environment)?
            }
            Err(error) => return Err(error.into()),
        },
    };
    Ok(Some(store))
}

/// Deletes every store of this user, and the keys. Returns whether there was any.
///
/// # Errors
///
/// A file that cannot be deleted.
pub(crate) fn clear_all(folder: &Folder) -> Result<bool, CommandError> {
    let mut any = folder.remove(KEYRING_FILE)?;
    if any {
        // The files must go even where the keyring is gone already.
        _ = keyring::forget();
    }
    for name in [FILE, KEY_FILE] {
        any |= folder.remove(name)?;
    }
    Ok(any)
}

/// An error of the keyring, which `auto` may pass over, or any other, which it may not.
enum OpenError {
    Keyring(KeyringError),
    Other(CommandError),
}

impl From<KeyringError> for OpenError {
    fn from(error: KeyringError) -> Self {
        Self::Keyring(error)
    }
}

impl From<CommandError> for OpenError {
    fn from(failure: CommandError) -> Self {
        Self::Other(failure)
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Keyring(error) => error.into(),
            OpenError::Other(failure) => failure,
        }
    }
}

fn open_keyring(environment: &StoreEnvironment) -> Result<TokenStore, OpenError> {
    let folder = &environment.folder;
    let exists = folder.read(KEYRING_FILE)?.is_some();
    let key = match keyring::find() {
        // A store whose key is gone is an error; a new key would make its tokens unreadable.
        Err(KeyringError::NoKey) if !exists => create_keyring_key(folder)?,
        found => found?,
    };
    Ok(TokenStore::new(
        folder,
        KEYRING_FILE,
        KeyOrigin::Keyring,
        key,
    ))
}

fn create_keyring_key(folder: &Folder) -> Result<StoreKey, OpenError> {
    // Two processes that start at once must agree on one key: the second finds the first one's.
    let _lock = folder.lock(TOKENS_LOCK, || {})?;
    match keyring::find() {
        Err(KeyringError::NoKey) => {
            let key = StoreKey::random()?;
            keyring::keep(&key)?;
            Ok(key)
        }
        found => Ok(found?),
    }
}

fn open_file(environment: &StoreEnvironment) -> Result<TokenStore, CommandError> {
    let folder = &environment.folder;
    let source = file_key_source(folder)?;
    match (source, &environment.passphrase) {
        (Some(source @ KeyOrigin::Passphrase { .. }), _) => {
            open_with_passphrase(environment, source)
        }
        (Some(_), None) => {
            let key = existing_key(folder)?;
            Ok(TokenStore::new(folder, FILE, KeyOrigin::KeyFile, key))
        }
        (None, None) => {
            let key = read_or_create_key_file(folder)?;
            Ok(TokenStore::new(folder, FILE, KeyOrigin::KeyFile, key))
        }
        (Some(_) | None, Some(passphrase)) => seal_with_passphrase(folder, passphrase),
    }
}

/// The source of the file's key; none if there is no file.
fn file_key_source(folder: &Folder) -> Result<Option<KeyOrigin>, CommandError> {
    let Some(text) = folder.read(FILE)? else {
        return Ok(None);
    };
    match SealedFile::parse(&text) {
        Ok(file) => Ok(Some(file.key)),
        Err(problem) => Err(unreadable(&folder.path(FILE), &problem)),
    }
}

fn open_with_passphrase(
    environment: &StoreEnvironment,
    source: KeyOrigin,
) -> Result<TokenStore, CommandError> {
    let folder = &environment.folder;
    let path = folder.path(FILE);
    let passphrase = match &environment.passphrase {
        Some(passphrase) => passphrase.clone(),
        None => (environment.prompt)().ok_or_else(|| no_passphrase(&path))?,
    };
    let Some(key) = derive_key(&source, &passphrase) else {
        return Err(unreadable(&path, "its salt is not base64url"));
    };
    let store = TokenStore::new(folder, FILE, source, key);
    // Opened at once: a wrong passphrase has to fail before anybody is asked to sign in.
    match store.tokens() {
        Ok(_) => Ok(store),
        Err(_) => Err(wrong_passphrase(&path)),
    }
}

/// A store with this passphrase: a new one, or the one whose key was in a file until now.
fn seal_with_passphrase(folder: &Folder, passphrase: &str) -> Result<TokenStore, CommandError> {
    let _lock = folder.lock(TOKENS_LOCK, || {})?;
    // Read again under the lock: another process may have sealed it with its passphrase.
    let tokens = match file_key_source(folder)? {
        None => Vec::new(),
        Some(KeyOrigin::KeyFile) => {
            let key = existing_key(folder)?;
            TokenStore::new(folder, FILE, KeyOrigin::KeyFile, key).tokens()?
        }
        Some(_) => {
            let problem = "another process has just created it";
            return Err(unreadable(&folder.path(FILE), problem));
        }
    };
    // 32 random bytes serve as the salt; their text is what the file shows.
    let salt = StoreKey::random()?;
    let key = StoreKey::derive(passphrase, salt.bytes(), ITERATIONS);
    let source = KeyOrigin::Passphrase {
        salt: salt.to_text().to_string(),
        iterations: ITERATIONS,
    };
    let store = TokenStore::new(folder, FILE, source, key);
    store.write(&tokens)?;
    // Last, so that a crash in between leaves a file that still opens.
    let was_keyed = folder.remove(KEY_FILE)?;
    // From now on every call needs the passphrase: one call must not decide that in silence.
    if was_keyed {
        let file = folder.path(FILE);
        Reporter { quiet: false }.note(&format!(
            "{}: the tokens are now encrypted with PORTCULLIS_PASSPHRASE, and later calls need it",
            file.display()
        ));
    }
    Ok(store)
}

fn derive_key(source: &KeyOrigin, passphrase: &str) -> Option<StoreKey> {
    let KeyOrigin::Passphrase { salt, iterations } = source else {
        return None;
    };
    let salt = base64url::decode(salt).ok()?;
    Some(StoreKey::derive(passphrase, &salt, *iterations))
}

fn read_key_file(folder: &Folder) -> Result<Option<StoreKey>, CommandError> {
    let Some(text) = folder.read(KEY_FILE)? else {
        return Ok(None);
    };
    match StoreKey::from_text(&text) {
        Some(key) => Ok(Some(key)),
        None => Err(bad_key_file(&folder.path(KEY_FILE))),
    }
}

fn existing_key(folder: &Folder) -> Result<StoreKey, CommandError> {
    match read_key_file(folder)? {
        Some(key) => Ok(key),
        None => Err(bad_key_file(&folder.path(KEY_FILE))),
    }
}

fn read_or_create_key_file(folder: &Folder) -> Result<StoreKey, CommandError> {
    if let Some(key) = read_key_file(folder)? {
        return Ok(key);
    }
    let _lock = folder.lock(TOKENS_LOCK, || {})?;
    // Another process may have created it while this one waited for the lock.
    if let Some(key) = read_key_file(folder)? {
        return Ok(key);
    }
    let key = StoreKey::random()?;
    folder.replace(KEY_FILE, &key.to_text())?;
    Ok(key)
}

const KEYRING_FILE: &str = "tokens-keyring.json";
const FILE: &str = "tokens.json";
const KEY_FILE: &str = "tokens.key";

/// The lock of the files, as opposed to those of single tokens.
const TOKENS_LOCK: &str = "locks/tokens";
