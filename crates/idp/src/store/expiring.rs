//! A map from secrets to values that expire.

use crate::token::encoding::sha256;
use std::collections::{HashMap, VecDeque};

/// Values under the digests of their secrets. Expired values and the oldest ones make room.
pub(crate) struct ExpiringMap<V> {
    values: HashMap<String, (u64, V)>,
    order: VecDeque<String>,
}

impl<V> Default for ExpiringMap<V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<V> ExpiringMap<V> {
    const MOST: usize = 100_000;

    pub(super) fn insert(&mut self, secret: &str, value: V, expires: u64, now: u64) {
        // Digests alone: what leaks from this memory cannot be used as a token.
        let key = sha256(secret.as_bytes());
        self.values.insert(key.clone(), (expires, value));
        self.order.push_back(key);
        // Only from the front, which costs little: an entry behind a longer-lived one stays longer.
        while let Some(oldest) = self.order.front() {
            let over = match self.values.get(oldest) {
                Some((expires, _)) => *expires <= now,
                // Its value was removed before; only the place in the order is left.
                None => true,
            };
            if !over && self.order.len() <= Self::MOST {
                break;
            }
            self.values.remove(oldest);
            self.order.pop_front();
        }
    }

    pub(super) fn find(&mut self, secret: &str, now: u64) -> Option<&mut V> {
        let (expires, value) = self.values.get_mut(&sha256(secret.as_bytes()))?;
        // Expired values may still be here, because only an insertion makes room.
        (now < *expires).then_some(value)
    }

    pub(super) fn remove(&mut self, secret: &str) -> Option<V> {
        let (_, value) = self.values.remove(&sha256(secret.as_bytes()))?;
        Some(value)
    }

    /// The remaining values, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &V> {
        let keys = self.order.iter().rev();
        keys.filter_map(|key| Some(&self.values.get(key)?.1))
    }
}
