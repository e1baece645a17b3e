//! Places for connections and for requests under way: in all, for each caller, and for each
//! upstream.
//!
//! Taking a place never waits. Dropping it frees it. The bounds are on what goes on at the same
//! time; rates are not checked. Callers on loopback have no bound of their own unless the settings
//! write one: a proxy beside the gateway speaks for many.

use crate::request::caller::network;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Enough shards that callers seldom wait for the same lock.
const SHARDS: usize = 64;

/// A fixed number of places.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    taken: AtomicUsize,
}

/// One taken place.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: AtomicUsize::new(0),
        })
    }

    /// Takes a place, if one is free.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Place> {
        // Counting first, so that two callers cannot both take the last place.
        if self.taken.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.taken.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Place(Arc::clone(self)))
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A fixed number of places for each caller; an IPv6 /64 is one caller.
pub(crate) struct CallerPlaces {
    most: usize,
    /// Whether callers on loopback are bounded too.
    counts_loopback: bool,
    hasher: RandomState,
    /// Taken places by caller; callers without any are removed.
    shards: Box<[Mutex<HashMap<IpAddr, usize>>]>,
}

/// One taken place of a caller.
#[derive(Debug)]
pub(crate) struct CallerPlace {
    places: Arc<CallerPlaces>,
    /// None for a caller without a bound.
    caller: Option<IpAddr>,
}

/// The places that a request has taken.
#[derive(Debug)]
pub(crate) struct RequestPlaces {
    pub(crate) _place: Place,
    pub(crate) _caller: Option<CallerPlace>,
}

impl CallerPlaces {
    pub(crate) fn new(most: usize, counts_loopback: bool) -> Arc<Self> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Arc::new(Self {
            most,
            counts_loopback,
            hasher: RandomState::new(),
            shards,
        })
    }

    /// Takes a place for this caller, if one is free.
    pub(crate) fn take(self: &Arc<Self>, caller: IpAddr) -> Option<CallerPlace> {
        if !self.counts_loopback && caller.to_canonical().is_loopback() {
            return Some(CallerPlace {
                places: Arc::clone(self),
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
        Some(CallerPlace {
            places: Arc::clone(self),
            caller: Some(caller),
        })
    }

    fn shard(&self, caller: IpAddr) -> Option<MutexGuard<'_, HashMap<IpAddr, usize>>> {
        let hash = usize::try_from(self.hasher.hash_one(caller) % SHARDS as u64).ok()?;
        self.shards
            .get(hash)
            .map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for CallerPlace {
    fn drop(&mut self) {
        let Some(caller) = self.caller else { return };
        let Some(mut shard) = self.places.shard(caller) else {
            return;
        };
        if let Some(taken) = shard.get_mut(&caller) {
            *taken -= 1;
            if *taken == 0 {
                shard.remove(&caller);
            }
        }
    }
}

/// Shows no addresses.
impl std::fmt::Debug for CallerPlaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} places for each caller", self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let places = Places::new(2);
        let taken = [places.take(), places.take()];
        assert!(taken.iter().all(Option::is_some) && places.take().is_none());
        assert_eq!(places.taken(), 2);
        drop(taken);
        assert!(places.take().is_some());
        assert_eq!(places.taken(), 0);
    }

    #[test]
    fn a_neighbour_has_the_bound_of_others_where_it_counts() {
        let places = CallerPlaces::new(1, true);
        let taken = places.take(IpAddr::from([127, 0, 0, 1]));
        assert!(taken.is_some() && places.take(IpAddr::from([127, 0, 0, 1])).is_none());
        assert!(places.take(IpAddr::from([127, 0, 0, 2])).is_some());
    }

    #[test]
    fn each_caller_has_places_of_its_own_and_a_network_is_one_caller() {
        let places = CallerPlaces::new(1, false);
        let take = |text: &str| places.take(text.parse().unwrap());
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
            places
                .shards
                .iter()
                .all(|shard| shard.lock().unwrap().is_empty()),
            "nobody is remembered"
        );
    }
}
