//! Slots for connections and for requests under way: in total, for each caller, and for each
//! upstream.
//!
//! Taking a slot never waits. Dropping it frees it. The bounds are on what goes on at the same
//! time; rates are not checked. Callers on loopback have no bound of their own unless the settings
//! write one: a proxy beside the gateway speaks for many clients.

use crate::request::caller::network;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Enough shards that callers seldom wait for the same lock.
const SHARDS: usize = 64;

/// A fixed number of slots.
#[derive(Debug)]
pub(crate) struct Slots {
    most: usize,
    taken: AtomicUsize,
}

/// One taken slot.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

impl Slots {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: AtomicUsize::new(0),
        })
    }

    /// Takes a slot, if one is free.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Slot> {
        // Counted before it is checked, so that two callers cannot both take the last slot.
        if self.taken.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.taken.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Slot(Arc::clone(self)))
    }

    /// How many are taken.
    pub(crate) fn in_use(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A fixed number of slots for each caller; an IPv6 /64 is one caller.
pub(crate) struct CallerSlots {
    most: usize,
    /// Whether callers on loopback are bounded too.
    counts_loopback: bool,
    hasher: RandomState,
    /// Taken slots by caller; callers without any are removed.
    shards: Box<[Mutex<HashMap<IpAddr, usize>>]>,
}

/// One taken slot of a caller.
#[derive(Debug)]
pub(crate) struct CallerSlot {
    slots: Arc<CallerSlots>,
    /// None for a caller without a bound.
    caller: Option<IpAddr>,
}

/// The slots that a request has taken.
#[derive(Debug)]
pub(crate) struct RequestSlots {
    pub(crate) _slot: Slot,
    pub(crate) _caller: Option<CallerSlot>,
}

impl CallerSlots {
    pub(crate) fn new(most: usize, counts_loopback: bool) -> Arc<Self> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Arc::new(Self {
            most,
            counts_loopback,
            hasher: RandomState::new(),
            shards,
        })
    }

    /// Takes a slot for this caller, if one is free.
    pub(crate) fn take(self: &Arc<Self>, caller: IpAddr) -> Option<CallerSlot> {
        if !self.counts_loopback && caller.to_canonical().is_loopback() {
            return Some(CallerSlot {
                slots: Arc::clone(self),
                caller: None,
            });
        }
        let caller = network(caller);
        let mut shard = self.shard(caller)?;
        let taken = shard.entry(caller).or_default();
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(CallerSlot {
            slots: Arc::clone(self),
            caller: Some(caller),
        })
    }

    fn shard(&self, caller: IpAddr) -> Option<MutexGuard<'_, HashMap<IpAddr, usize>>> {
        // Keyed at random, so that callers cannot choose addresses that share one lock.
        let hash = usize::try_from(self.hasher.hash_one(caller) % SHARDS as u64).ok()?;
        let shard = self.shards.get(hash)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for CallerSlot {
    fn drop(&mut self) {
        let Some(caller) = self.caller else { return };
        let Some(mut shard) = self.slots.shard(caller) else {
            return;
        };
        if let Some(taken) = shard.get_mut(&caller) {
            *taken -= 1;
            // Nothing is remembered of a caller that is gone, so the map cannot grow for ever.
            if *taken == 0 {
                shard.remove(&caller);
            }
        }
    }
}

/// Shows no addresses.
impl std::fmt::Debug for CallerSlots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} slots for each caller", self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_it_is_dropped() {
        let slots = Slots::new(2);
        let taken = [slots.take(), slots.take()];
        assert!(taken.iter().all(Option::is_some) && slots.take().is_none());
        assert_eq!(slots.in_use(), 2);
        drop(taken);
        assert!(slots.take().is_some());
        assert_eq!(slots.in_use(), 0);
    }

    #[test]
    fn loopback_has_the_bound_of_others_if_it_counts() {
        let slots = CallerSlots::new(1, true);
        let taken = slots.take(IpAddr::from([127, 0, 0, 1]));
        assert!(taken.is_some() && slots.take(IpAddr::from([127, 0, 0, 1])).is_none());
        assert!(slots.take(IpAddr::from([127, 0, 0, 2])).is_some());
    }

    #[test]
    fn each_caller_has_slots_of_its_own_and_a_network_is_one_caller() {
        let slots = CallerSlots::new(1, false);
        let take = |text: &str| slots.take(text.parse().unwrap());
        let (one, two) = (take("192.0.2.1"), take("2001:db8::1"));
        assert!(one.is_some() && two.is_some());
        assert!(take("192.0.2.1").is_none() && take("2001:db8::ffff:2").is_none());
        assert!(take("192.0.2.2").is_some() && take("2001:db8:0:1::1").is_some());
        let neighbours: Vec<_> = (0..9)
            .map(|_| take("::1").or_else(|| take("127.0.0.1")))
            .collect();
        assert!(neighbours.iter().all(Option::is_some));
        drop((one, two, neighbours));
        assert!(take("192.0.2.1").is_some() && take("2001:db8::9").is_some());
        assert!(
            slots
                .shards
                .iter()
                .all(|shard| shard.lock().unwrap().is_empty()),
            "nobody is remembered"
        );
    }
}
