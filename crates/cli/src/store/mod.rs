//! Where `portcullis token` keeps tokens between two calls: one encrypted file, and its key
//! somewhere safer.
//!
//! The key is in the OS keyring; or made from a passphrase; or, where there is neither, in a file
//! beside the tokens. So no keyring's limit of size matters, all three have one format, and a
//! keyring is asked once per run. What cannot be read is told and never written over. [`key`] says
//! what each of the three protects against, and what not.
//!
//! Nobody but this user can read the files, and a file is replaced as a whole. Two processes that
//! want the same token wait for each other ([`TokenStore::hold`]): a refresh token that rotates can
//! be spent once only.

mod entry;
mod folder;
mod key;
mod keyring;
mod opening;
mod sealed;

pub(crate) use entry::{Asked, Entry, Holder};
pub(crate) use folder::{Folder, Held};
pub(crate) use opening::{Keeping, Means, clear_all, open};

use crate::exit::Failure;
use key::Key;
use sealed::{Document, Sealing};
use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The tokens that are kept.
pub(crate) struct TokenStore {
    folder: Folder,
    name: &'static str,
    sealing: Sealing,
    key: Key,
}

impl TokenStore {
    /// All that is kept.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or opened; it is left as it is.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, Failure> {
        let Some(text) = self.folder.read(self.name)? else {
            return Ok(Vec::new());
        };
        let document = Document::parse(&text).map_err(|problem| self.unreadable(&problem))?;
        let opened = document.open(&self.key);
        let opened =
            opened.ok_or_else(|| self.unreadable("the key does not open it, or it was changed"))?;
        serde_json::from_slice(&opened)
            .map_err(|_| self.unreadable("its content is not what was expected"))
    }

    /// What was got for this.
    ///
    /// # Errors
    ///
    /// As [`entries`](Self::entries).
    pub(crate) fn find(&self, asked: &Asked) -> Result<Option<Entry>, Failure> {
        Ok(self
            .entries()?
            .into_iter()
            .find(|entry| entry.asked == *asked))
    }

    /// Keeps an entry in the place of the one that was got for the same.
    ///
    /// # Errors
    ///
    /// As [`entries`](Self::entries), and a folder that cannot be written to.
    pub(crate) fn put(&self, entry: Entry, now: i64) -> Result<(), Failure> {
        self.edit(|entries| {
            entries.retain(|kept| kept.asked != entry.asked && !kept.is_useless(now));
            entries.push(entry);
            let surplus = entries.len().saturating_sub(MOST);
            entries.drain(..surplus);
        })
    }

    /// Forgets what this is true of, and says what that was.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub(crate) fn remove(
        &self,
        mut which: impl FnMut(&Entry) -> bool,
    ) -> Result<Vec<Entry>, Failure> {
        let mut removed = Vec::new();
        self.edit(|entries| {
            let (out, kept) = std::mem::take(entries)
                .into_iter()
                .partition(|entry| which(entry));
            (removed, *entries) = (out, kept);
        })?;
        Ok(removed)
    }

    /// Makes whoever wants the same token wait until this is dropped; `waiting` is called before
    /// waiting for another.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written to.
    pub(crate) fn hold(&self, asked: &Asked, waiting: impl FnOnce()) -> Result<Held, Failure> {
        self.folder
            .lock(&format!("locks/{}", asked.digest()), waiting)
    }

    /// The file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path(self.name)
    }

    /// How the file is protected, in words.
    pub(crate) fn protection(&self) -> &'static str {
        self.sealing.in_words()
    }

    /// Reads, changes and replaces the file, one process at a time.
    fn edit(&self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<(), Failure> {
        let _held = self.folder.lock("locks/tokens", || {})?;
        let mut entries = self.entries()?;
        change(&mut entries);
        self.write(&entries)
    }

    fn write(&self, entries: &[Entry]) -> Result<(), Failure> {
        let text = serde_json::to_vec(entries).map(Zeroizing::new);
        let text = text.map_err(|error| Failure::could_not_run(error.to_string()))?;
        let document = sealed::seal(&self.key, &self.sealing, &text);
        let document = document
            .ok_or_else(|| Failure::could_not_run("this machine gives no random numbers"))?;
        self.folder.replace(self.name, &document)
    }

    fn unreadable(&self, problem: &str) -> Failure {
        opening::unreadable(&self.path(), problem)
    }
}

/// Shows where it is.
impl fmt::Debug for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tokens in {}", self.path().display())
    }
}

/// How many entries there can be; the oldest go first.
const MOST: usize = 500;

#[cfg(test)]
mod tests;
