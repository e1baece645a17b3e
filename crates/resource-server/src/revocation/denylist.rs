//! The denylist in memory: revocations by their marks.
//!
//! An entry goes only when every token that it refuses has ended. A full list accepts no more, and
//! says so; it never drops entries to make room. Each change has a number, so a token that was
//! clear at the last change needs no lookup, and is announced, so that open streams need not poll.

use super::mark::{RevocationMark, RevokedKind};
use super::revocation::{Revocation, Term};
use portcullis_core::token::NumericDate;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use tokio::sync::watch;

pub(crate) struct Denylist {
    /// Many, so that readers seldom meet a writer, and few of them wait while a table grows.
    shards: [RwLock<Shard>; SHARDS],
    entries: AtomicUsize,
    most: usize,
    /// Beside the announcement, whose lock is too dear for every decision.
    changes: AtomicU64,
    announced: watch::Sender<()>,
    sweep_at: AtomicI64,
}

/// The standard hasher is keyed at random: a caller who chooses marks cannot make them collide.
type Shard = HashMap<RevocationMark, Term>;

const SHARDS: usize = 64;

/// How often ended entries are looked for, in seconds.
const SWEEP_EVERY: i64 = 600;

/// The list holds as many entries as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DenylistFull {
    pub(crate) most: usize,
}

impl Denylist {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            entries: AtomicUsize::new(0),
            most,
            changes: AtomicU64::new(0),
            announced: watch::Sender::new(()),
            sweep_at: AtomicI64::new(i64::MIN),
        }
    }

    /// Adds an entry, or joins it with the one of the same mark.
    pub(crate) fn add(&self, revocation: Revocation, now: NumericDate) -> Result<(), DenylistFull> {
        // Additions sweep, so no task is needed: a list without additions does not grow.
        if now.seconds() >= self.sweep_at.load(Ordering::Relaxed) {
            self.sweep(now);
        }
        // A full list may only be one that was not swept for a while.
        if self.insert(revocation).is_err() {
            self.sweep(now);
            self.insert(revocation)?;
        }
        Ok(())
    }

    fn insert(&self, Revocation { mark, term }: Revocation) -> Result<(), DenylistFull> {
        let mut shard = self
            .shard(&mark)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match shard.entry(mark) {
            Entry::Occupied(mut held) => {
                let both = held.get().join(term);
                // Nothing new: a store that is read again must not cause a lookup for every token.
                if both == *held.get() {
                    return Ok(());
                }
                held.insert(both);
            }
            Entry::Vacant(place) => {
                // Counted first, so that writers to other shards cannot pass the limit together.
                if self.entries.fetch_add(1, Ordering::Relaxed) >= self.most {
                    self.entries.fetch_sub(1, Ordering::Relaxed);
                    return Err(DenylistFull { most: self.most });
                }
                place.insert(term);
            }
        }
        drop(shard);
        // After the entry is there: a reader of the new number finds the entry too.
        self.changes.fetch_add(1, Ordering::Release);
        // After the number: whoever is woken finds the change.
        self.announced.send_replace(());
        Ok(())
    }

    /// What refuses tokens of this mark with this moment: of their issue, or of the sign-in.
    pub(crate) fn refuses(
        &self,
        mark: &RevocationMark,
        moment: Option<NumericDate>,
    ) -> Option<Revocation> {
        let (mark, term) = (*mark, self.term(mark)?);
        let is_refused = match mark.kind() {
            // No matter when they were issued: the account is as it was said last.
            RevokedKind::Account => !term.cause.is_lifted(),
            _ => term.refuses(moment),
        };
        is_refused.then_some(Revocation { mark, term })
    }

    /// Whether the list refuses everything that this revocation refuses, for as long.
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn covers(&self, revocation: &Revocation) -> bool {
        match self.term(&revocation.mark) {
            // The join changes nothing exactly where the held term refuses as much, for as long.
            Some(held) => held.join(revocation.term) == held,
            None => false,
        }
    }

    /// The entry of this mark.
    #[cfg(feature = "redis")]
    pub(crate) fn find(&self, mark: &RevocationMark) -> Option<Revocation> {
        let term = self.term(mark)?;
        Some(Revocation { mark: *mark, term })
    }

    /// The number of the last change that could refuse more tokens; 0 before the first.
    pub(crate) fn change(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Announces each change from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.announced.subscribe()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// Drops the entries whose tokens have all ended.
    pub(crate) fn sweep(&self, now: NumericDate) {
        self.sweep_at
            .store(now.plus(SWEEP_EVERY).seconds(), Ordering::Relaxed);
        for shard in &self.shards {
            // One shard at a time: decisions in the others do not wait.
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let before = shard.len();
            shard.retain(|_, term| term.until >= now);
            self.entries
                .fetch_sub(before - shard.len(), Ordering::Relaxed);
            // A burst would hold its memory for ever, and shrinking at every sweep would copy for
            // nothing.
            if shard.len() < shard.capacity() / 4 {
                shard.shrink_to_fit();
            }
        }
    }

    /// Every entry that is wanted.
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn filter(&self, is_wanted: impl Fn(&Revocation) -> bool) -> Vec<Revocation> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            for (mark, term) in &*shard {
                let (mark, term) = (*mark, *term);
                let revocation = Revocation { mark, term };
                if is_wanted(&revocation) {
                    found.push(revocation);
                }
            }
        }
        found
    }

    fn term(&self, mark: &RevocationMark) -> Option<Term> {
        self.shard(mark)
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(mark)
            .copied()
    }

    fn shard(&self, mark: &RevocationMark) -> &RwLock<Shard> {
        // A mark is a digest, so any byte of it spreads the entries evenly.
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
