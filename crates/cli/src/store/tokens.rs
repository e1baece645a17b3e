//! The token store: an encrypted list of tokens, which is read and replaced as a whole.

use super::error;
use super::folder::{Folder, StoreLock};
use super::key::StoreKey;
use super::sealed::{self, KeyOrigin, SealedFile};
use super::token::{StoredToken, TokenPurpose};
use crate::exit::CommandError;
use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The stored tokens of this user.
pub(crate) struct TokenStore {
    folder: Folder,
    name: &'static str,
    source: KeyOrigin,
    key: StoreKey,
}

impl TokenStore {
    /// The store in this file of the folder, which this key opens.
    pub(super) fn new(
        folder: &Folder,
        name: &'static str,
        source: KeyOrigin,
        key: StoreKey,
    ) -> Self {
        Self {
            folder: folder.clone(),
            name,
            source,
            key,
        }
    }

    /// All stored tokens, the oldest first.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or opened; it is left unchanged.
    pub(crate) fn tokens(&self) -> Result<Vec<StoredToken>, CommandError> {
        let Some(text) = self.folder.read(self.name)? else {
            return Ok(Vec::new());
        };
        let file = match SealedFile::parse(&text) {
            Ok(file) => file,
            Err(problem) => return Err(self.unreadable(&problem)),
        };
        let Some(content) = file.open(&self.key) else {
            return Err(self.unreadable("the key does not open it, or it was modified"));
        };
        serde_json::from_slice(&content)
            .map_err(|_| self.unreadable("its content is not a list of tokens"))
    }

    /// The token that was requested for this purpose.
    ///
    /// # Errors
    ///
    /// As [`tokens`](Self::tokens).
    pub(crate) fn find(&self, purpose: &TokenPurpose) -> Result<Option<StoredToken>, CommandError> {
        let mut tokens = self.tokens()?.into_iter();
        Ok(tokens.find(|token| token.purpose == *purpose))
    }

    /// Stores a token in place of the one with the same purpose.
    ///
    /// # Errors
    ///
    /// As [`tokens`](Self::tokens), and a folder that cannot be written to.
    pub(crate) fn put(&self, token: StoredToken, now: i64) -> Result<(), CommandError> {
        self.edit(|tokens| {
            // Expired tokens that cannot be refreshed would otherwise stay on the disk for ever.
            tokens.retain(|other| other.purpose != token.purpose && !other.is_useless(now));
            tokens.push(token);
            // A script with a new audience on each call must not grow the file for ever.
            let surplus = tokens.len().saturating_sub(MAX_TOKENS);
            tokens.drain(..surplus);
        })
    }

    /// Deletes the tokens that `matches` selects, and returns them.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub(crate) fn remove(
        &self,
        mut matches: impl FnMut(&StoredToken) -> bool,
    ) -> Result<Vec<StoredToken>, CommandError> {
        let mut removed = Vec::new();
        self.edit(|tokens| {
            for token in std::mem::take(tokens) {
                let list = if matches(&token) {
                    &mut removed
                } else {
                    &mut *tokens
                };
                list.push(token);
            }
        })?;
        Ok(removed)
    }

    /// Makes other processes that need the same token wait until the lock is dropped. `on_wait` is
    /// called before this one waits for another.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written to.
    pub(crate) fn lock(
        &self,
        purpose: &TokenPurpose,
        on_wait: impl FnOnce(),
    ) -> Result<StoreLock, CommandError> {
        let name = format!("locks/{}", purpose.digest());
        self.folder.lock(&name, on_wait)
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path(self.name)
    }

    /// How the file is protected, for people.
    pub(crate) fn protection(&self) -> &'static str {
        self.source.describe()
    }

    /// Reads, changes and replaces the file, one process at a time.
    fn edit(&self, change: impl FnOnce(&mut Vec<StoredToken>)) -> Result<(), CommandError> {
        // Without the lock, two writers would each drop what the other has just stored.
        let _lock = self.folder.lock("locks/tokens", || {})?;
        let mut tokens = self.tokens()?;
        change(&mut tokens);
        self.write(&tokens)
    }

    pub(super) fn write(&self, tokens: &[StoredToken]) -> Result<(), CommandError> {
        let text = match serde_json::to_vec(tokens) {
            Ok(text) => Zeroizing::new(text),
            Err(error) => return Err(CommandError::could_not_run(error.to_string())),
        };
        // Sealed with a fresh nonce each time: AES-GCM breaks if one is used twice.
        let Some(file) = sealed::seal(&self.key, &self.source, &text) else {
            return Err(error::no_random_numbers());
        };
        self.folder.replace(self.name, &file)
    }

    fn unreadable(&self, problem: &str) -> CommandError {
        error::unreadable(&self.path(), problem)
    }
}

/// Shows the path only: the key and the tokens are secret.
impl fmt::Debug for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tokens in {}", self.path().display())
    }
}

/// The bound on stored tokens; the oldest go first.
const MAX_TOKENS: usize = 500;
