//! The `kid`s that the issuer did not publish when it was asked: for a while, and not too many.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Remembers unknown `kid`s; the oldest make room.
#[derive(Debug)]
pub(super) struct UnknownKids {
    most: usize,
    lasting: Duration,
    until: HashMap<Box<str>, Duration>,
    order: VecDeque<Box<str>>,
}

impl UnknownKids {
    pub(super) fn new(most: usize, lasting: Duration) -> Self {
        Self {
            most,
            lasting,
            until: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Whether this `kid` was unknown a short while ago.
    pub(super) fn contains(&self, kid: &str, now: Duration) -> bool {
        self.until.get(kid).is_some_and(|until| now < *until)
    }

    pub(super) fn insert(&mut self, kid: &str, now: Duration) {
        // A `kid` that comes again is remembered for longer, but keeps its place in the order.
        if self
            .until
            .insert(kid.into(), now + self.lasting)
            .is_some()
        {
            return;
        }
        // Bounded, because tokens choose what is stored here.
        self.order.push_back(kid.into());
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.until.remove(&oldest);
        }
    }

    pub(super) fn clear(&mut self) {
        self.until.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_with_time_and_when_full() {
        let mut unknown = UnknownKids::new(2, Duration::from_secs(60));
        for kid in ["a", "a", "b", "c"] {
            unknown.insert(kid, Duration::ZERO);
        }
        let at = |kid, second| unknown.contains(kid, Duration::from_secs(second));
        assert_eq!(
            [at("a", 1), at("b", 1), at("c", 59), at("c", 60)],
            [false, true, true, false]
        );
        assert_eq!(unknown.order.len(), 2);
        unknown.clear();
        assert!(unknown.until.is_empty());
    }
}
