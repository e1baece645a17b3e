//! The denylist in memory: what is revoked, by its mark.
//!
//! An entry goes only when every token that it refuses has ended. A full list takes no more, and
//! says so; it never forgets to make room. Each change has a number, so a token that was clear at
//! the last change needs no lookup.

use super::mark::Mark;
use super::revocation::{Revocation, Term};
use portcullis_core::token::NumericDate;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

pub(crate) struct Denylist {
    /// Many, so that readers seldom meet a writer, and none waits while a large table grows.
    shards: [RwLock<Shard>; SHARDS],
    entries: AtomicUsize,
    most: usize,
    changes: AtomicU64,
    sweep_at: AtomicI64,
}

/// The standard hasher is keyed at random: whoever chooses marks cannot choose where they fall.
type Shard = HashMap<Mark, Term>;

const SHARDS: usize = 64;

/// How often entries that ended are looked for, in seconds.
const SWEEP_EVERY: i64 = 600;

/// The list holds as many entries as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    pub(crate) most: usize,
}

impl Denylist {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            entries: AtomicUsize::new(0),
            most,
            changes: AtomicU64::new(0),
            sweep_at: AtomicI64::new(i64::MIN),
        }
    }

    /// Adds an entry, or joins it with the one of the same mark.
    pub(crate) fn add(&self, revocation: Revocation, now: NumericDate) -> Result<(), Full> {
        if now.seconds() >= self.sweep_at.load(Ordering::Relaxed) {
            self.sweep(now);
        }
        if self.insert(revocation).is_err() {
            self.sweep(now);
            self.insert(revocation)?;
        }
        Ok(())
    }

    fn insert(&self, Revocation { mark, term }: Revocation) -> Result<(), Full> {
        let mut shard = self
            .shard(&mark)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match shard.entry(mark) {
            Entry::Occupied(mut held) => {
                let joined = held.get().joined(term);
                if joined == *held.get() {
                    return Ok(());
                }
                held.insert(joined);
            }
            Entry::Vacant(place) => {
                if self.entries.fetch_add(1, Ordering::Relaxed) >= self.most {
                    self.entries.fetch_sub(1, Ordering::Relaxed);
                    return Err(Full { most: self.most });
                }
                place.insert(term);
            }
        }
        drop(shard);
        // After the entry is there: whoever reads the new number finds the entry too.
        self.changes.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Whether tokens of this mark that were issued then are refused.
    pub(crate) fn refuses(&self, mark: &Mark, issued_at: Option<NumericDate>) -> bool {
        self.term(mark).is_some_and(|term| term.refuses(issued_at))
    }

    /// Whether the list refuses all that this revocation refuses, for as long.
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn covers(&self, revocation: &Revocation) -> bool {
        self.term(&revocation.mark)
            .is_some_and(|held| held.joined(revocation.term) == held)
    }

    /// The entry of this mark.
    #[cfg(feature = "redis")]
    pub(crate) fn find(&self, mark: &Mark) -> Option<Revocation> {
        self.term(mark).map(|term| Revocation { mark: *mark, term })
    }

    /// The number of the last change that could refuse more tokens; 0 before the first.
    pub(crate) fn change(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// Drops the entries whose tokens have all ended.
    pub(crate) fn sweep(&self, now: NumericDate) {
        self.sweep_at
            .store(now.plus(SWEEP_EVERY).seconds(), Ordering::Relaxed);
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let before = shard.len();
            shard.retain(|_, term| term.until >= now);
            self.entries
                .fetch_sub(before - shard.len(), Ordering::Relaxed);
            if shard.len() < shard.capacity() / 4 {
                shard.shrink_to_fit();
            }
        }
    }

    /// Every entry for which this holds.
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn filtered(&self, wanted: impl Fn(&Revocation) -> bool) -> Vec<Revocation> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let entries = shard.iter().map(|(mark, term)| Revocation {
                mark: *mark,
                term: *term,
            });
            found.extend(entries.filter(&wanted));
        }
        found
    }

    fn term(&self, mark: &Mark) -> Option<Term> {
        self.shard(mark)
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(mark)
            .copied()
    }

    fn shard(&self, mark: &Mark) -> &RwLock<Shard> {
        #[expect(
            clippy::indexing_slicing,
            reason = "a remainder of the length is within it"
        )]
        &self.shards[usize::from(mark.byte()) % SHARDS]
    }
}

impl fmt::Debug for Denylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of at most {} revocations", self.len(), self.most)
    }
}

#[cfg(test)]
#[path = "denylist_tests.rs"]
mod tests;
