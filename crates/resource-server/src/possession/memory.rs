//! The proofs that were used, in the memory of this process, until they are too old anyway.
//!
//! Bounded: a proof that finds no room is neither let in nor refused. They are kept by time, a set
//! for some seconds each, so forgetting them costs nothing.

use portcullis_core::proof::ProofId;
use portcullis_core::token::NumericDate;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Half of a SHA-256: finding a second proof with the same one takes 2^64 attempts, each signed.
type ShortId = u128;

/// The seconds of one set of proofs.
const SLOT: i64 = 16;

/// Parts with a lock each, by a byte of the digest.
const SHARDS: usize = 16;

/// The proofs that were used.
pub(crate) struct UsedProofs {
    shards: [Mutex<ProofShard>; SHARDS],
    capacity: usize,
    /// The seconds of one set: a look goes through all that are held.
    slot: i64,
}

#[derive(Default)]
struct ProofShard {
    /// By the number of the slot in which they may be forgotten.
    slots: BTreeMap<i64, HashSet<ShortId, BuildHasherDefault<DigestHasher>>>,
    count: usize,
}

impl UsedProofs {
    pub(super) fn new(capacity: usize) -> Self {
        Self::with_slots(capacity, SLOT)
    }

    /// A memory of what is remembered for long, in sets of so many seconds.
    pub(crate) fn with_slots(capacity: usize, slot: i64) -> Self {
        Self {
            shards: Default::default(),
            capacity,
            slot,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Remembers a proof. Whether this was its first use; `None` if there is no room.
    pub(crate) fn is_first_use(&self, id: &ProofId, now: NumericDate) -> Option<bool> {
        let short = short(id);
        let mut shard = self.shard(id)?;
        shard.forget(now, self.slot);
        if shard.holds(short) {
            return Some(false);
        }
        // Each shard has its share: digests spread evenly, whoever makes them.
        if shard.count >= self.capacity.div_ceil(SHARDS) {
            return None;
        }
        shard.remember(short, id.until, self.slot);
        Some(true)
    }

    /// Whether it is remembered. Nothing is changed.
    pub(crate) fn holds(&self, id: &ProofId, now: NumericDate) -> bool {
        // A digest always has a shard.
        let Some(mut shard) = self.shard(id) else {
            return false;
        };
        shard.forget(now, self.slot);
        shard.holds(short(id))
    }

    pub(super) fn len(&self) -> usize {
        let counts = self.shards.iter().map(|shard| lock(shard).count);
        counts.sum()
    }

    fn shard(&self, id: &ProofId) -> Option<MutexGuard<'_, ProofShard>> {
        let last = usize::from(*id.digest.last()?);
        Some(lock(self.shards.get(last % SHARDS)?))
    }
}

/// A panic elsewhere leaves the sets as they are: whole.
fn lock(shard: &Mutex<ProofShard>) -> MutexGuard<'_, ProofShard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProofShard {
    /// Drops the sets whose proofs are refused for their age.
    fn forget(&mut self, now: NumericDate, slot: i64) {
        let current = now.seconds().div_euclid(slot);
        while let Some(entry) = self.slots.first_entry() {
            // The slot that is under way still holds some that would pass.
            if *entry.key() >= current {
                return;
            }
            let forgotten = entry.remove().len();
            self.count = self.count.saturating_sub(forgotten);
        }
    }

    /// Under whatever time: a `jti` that was signed again with another `iat` is the same.
    fn holds(&self, id: ShortId) -> bool {
        self.slots.values().any(|slot| slot.contains(&id))
    }

    fn remember(&mut self, id: ShortId, until: NumericDate, slot: i64) {
        let slot = until.seconds().div_euclid(slot);
        self.slots.entry(slot).or_default().insert(id);
        self.count += 1;
    }
}

fn short(id: &ProofId) -> ShortId {
    let first = id.digest.first_chunk().copied().unwrap_or_default();
    ShortId::from_be_bytes(first)
}

impl fmt::Debug for UsedProofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} used proofs", self.len())
    }
}

/// A digest is its own hash.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // A client chooses its `jti`, and with it the digest, but no two halves alike at will.
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    fn write_u128(&mut self, id: u128) {
        self.write(&id.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8, until: i64) -> ProofId {
        ProofId {
            digest: [number; 32],
            until: NumericDate::from_seconds(until),
        }
    }

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds)
    }

    #[test]
    fn a_proof_is_first_once_until_it_is_too_old() {
        let used = UsedProofs::new(100);
        assert_eq!(used.is_first_use(&id(1, 1_060), at(1_000)), Some(true));
        assert_eq!(used.is_first_use(&id(2, 1_060), at(1_000)), Some(true));
        // Signed again, with a later time: the same proof.
        assert_eq!(used.is_first_use(&id(1, 1_100), at(1_000)), Some(false));
        assert_eq!(used.is_first_use(&id(1, 1_060), at(1_059)), Some(false));
        assert_eq!(used.len(), 2);
        // Sixteen seconds later at the latest it is forgotten.
        assert_eq!(used.is_first_use(&id(1, 1_200), at(1_076)), Some(true));
        assert_eq!(used.len(), 2);
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let used = UsedProofs::new(SHARDS);
        assert_eq!(used.is_first_use(&id(0, 1_060), at(1_000)), Some(true));
        // Another of the same shard, and one of another shard.
        let beside = u8::try_from(SHARDS).unwrap();
        assert_eq!(used.is_first_use(&id(beside, 1_060), at(1_000)), None);
        assert_eq!(used.is_first_use(&id(1, 1_060), at(1_000)), Some(true));
        // One that is known is known, room or none.
        assert_eq!(used.is_first_use(&id(0, 1_060), at(1_000)), Some(false));
        assert_eq!(used.is_first_use(&id(beside, 1_160), at(1_080)), Some(true));
        assert_eq!(format!("{used:?}"), "2 used proofs");
    }
}
