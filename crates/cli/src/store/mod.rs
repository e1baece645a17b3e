//! Where `portcullis token` stores tokens between two calls: one encrypted file, whose key is
//! somewhere safer.
//!
//! The key is in the OS keyring, or derived from a passphrase, or, without either, in a file next
//! to the tokens. So no keyring's size limit matters, all three share one format, and a keyring is
//! asked once per run. A file that cannot be read is an error, and is never overwritten. [`key`]
//! says what each of the three protects against.
//!
//! Only this user can read the files, and a file is replaced as a whole. Two processes that need
//! the same token wait for each other ([`TokenStore::lock`]): a rotating refresh token can be used
//! only once.

mod environment;
mod error;
mod folder;
mod key;
mod keyring;
mod open;
mod sealed;
mod token;
mod tokens;

pub(crate) use environment::{open_store, state_folder};
pub(crate) use folder::StoreLock;
pub(crate) use open::{StoreKind, clear_all};
#[cfg(test)]
pub(crate) use token::sample_token;
pub(crate) use token::{Holder, StoredToken, TokenPurpose};
pub(crate) use tokens::TokenStore;

#[cfg(test)]
mod tests;
