//! The store: a stream in a Redis or Valkey, as an ordered log that replicas read whole and then
//! follow.
//!
//! A log, because a replica that was away misses nothing (unlike with published messages), and
//! because its order shows how far a replica has read. Each entry stands on its own and joins with
//! the known ones, so it does no harm to read or write one twice. See
//! `docs/decisions/0010-revocation-store.md`.

mod fault;
mod follow;
mod log;
mod record;
mod writer;

pub(super) use follow::Follower;
#[cfg(feature = "fuzzing")]
pub(crate) use record::rewrite;

use super::settings::{STREAM, StoreUrl};
use super::{Denylist, Revocation};
use log::Log;
use portcullis_core::token::NumericDate;
use portcullis_core::{ConfigError, Outage};
use std::fmt;

/// A revocation store, to write to and to read from without following it.
pub struct RevocationStore(Log);

impl RevocationStore {
    /// A store at this URL, in the stream of this key (default `portcullis:revocations`). Connects
    /// when it is used.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, without showing it.
    pub fn new(url: &StoreUrl, stream: Option<&str>) -> Result<Self, ConfigError> {
        let problem = match url.fault() {
            Some(problem) => problem,
            None => match Log::open(url, stream.unwrap_or(STREAM)) {
                Ok(log) => return Ok(Self(log)),
                // The client's own error may quote the URL, and with it a password.
                Err(_) => "it is not the URL of a Redis",
            },
        };
        Err(ConfigError::wrong("the store", problem).help(StoreUrl::cure()))
    }

    /// Writes a revocation: replicas put it in force as soon as the store passes it on.
    ///
    /// # Errors
    ///
    /// The store cannot be reached, or did not accept it.
    pub async fn publish(&self, revocation: &Revocation, now: NumericDate) -> Result<(), Outage> {
        let mut writer = self.0.connect().await?;
        writer.append(std::slice::from_ref(revocation)).await?;
        writer.clean(now).await?;
        Ok(())
    }

    /// The revocations in force, the oldest first, `most` of them at most; each mark once.
    ///
    /// # Errors
    ///
    /// The store cannot be reached.
    pub async fn list(&self, most: usize, now: NumericDate) -> Result<Vec<Revocation>, Outage> {
        let (mut reader, list) = (self.0.connect().await?, Denylist::new(most));
        let (mut place, mut order) = (log::START.to_owned(), Vec::new());
        loop {
            let batch = reader.after(&place, None).await?;
            let Some(last) = batch.last() else { break };
            place.clone_from(&last.id);
            for entry in &batch {
                let Ok(revocation) = entry.revocation else {
                    continue;
                };
                if revocation.until() < now {
                    continue;
                }
                // A list that is full reads on: later entries may prolong earlier ones.
                let known = list.len();
                if list.add(revocation, now).is_ok() && list.len() > known {
                    order.push(revocation.mark);
                }
            }
        }
        let mut found = Vec::new();
        for mark in order {
            found.extend(list.find(&mark));
        }
        Ok(found)
    }
}

impl fmt::Debug for RevocationStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
