//! Values that are found by a secret, until they expire.

use crate::token::encoding::sha256;
use std::collections::{HashMap, VecDeque};

/// Values under the digest of a secret; the expired and the oldest make room.
pub(crate) struct Expiring<V> {
    values: HashMap<String, (u64, V)>,
    order: VecDeque<String>,
}

impl<V> Default for Expiring<V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<V> Expiring<V> {
    const MOST: usize = 100_000;

    pub(crate) fn insert(&mut self, secret: &str, value: V, expires: u64, now: u64) {
        let key = sha256(secret.as_bytes());
        self.values.insert(key.clone(), (expires, value));
        self.order.push_back(key);
        while let Some(oldest) = self.order.front() {
            let over = self
                .values
                .get(oldest)
                .is_none_or(|(expires, _)| *expires <= now);
            if !over && self.order.len() <= Self::MOST {
                break;
            }
            self.values.remove(oldest);
            self.order.pop_front();
        }
    }

    pub(crate) fn find(&mut self, secret: &str, now: u64) -> Option<&mut V> {
        let found = self.values.get_mut(&sha256(secret.as_bytes()));
        found
            .filter(|(expires, _)| now < *expires)
            .map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, secret: &str) -> Option<V> {
        self.values
            .remove(&sha256(secret.as_bytes()))
            .map(|(_, value)| value)
    }

    /// All that are still there, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &V> {
        self.order
            .iter()
            .rev()
            .filter_map(|key| self.values.get(key))
            .map(|(_, value)| value)
    }
}
