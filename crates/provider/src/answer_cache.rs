//! What others answered, remembered for a while and within bounds, with one request at a time for
//! each key.
//!
//! A caller that asks for what is already being asked waits for that answer. If the first caller
//! goes away, the next one in line asks. An answer that lasts no time serves those who waited for
//! it and nobody after them.

use crate::clock::Clock;
use quick_cache::sync::Cache;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// Answers under their keys, up to a fixed number; the least useful make room.
pub struct AnswerCache<K, V> {
    answers: Cache<K, StoredAnswer<V>>,
    clock: Arc<dyn Clock>,
}

/// Shows none of them: keys and answers are foreign, or secret.
impl<K, V> fmt::Debug for AnswerCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerCache").finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct StoredAnswer<V> {
    value: V,
    until: Duration,
}

/// An answer, and where it comes from.
#[derive(Debug)]
pub struct Lookup<V> {
    /// The answer.
    pub value: V,
    /// Whether this very call asked for it; otherwise it was stored, or another caller's request
    /// brought it.
    pub asked: bool,
}

impl<K: Hash + Eq + Clone, V: Clone> AnswerCache<K, V> {
    /// Room for `capacity` answers.
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        // Foreign bytes choose the keys, so the cache's hasher is keyed at random: nobody can
        // aim at one shard.
        Self {
            answers: Cache::new(capacity),
            clock,
        }
    }

    /// The answer for a key: a stored one that is still good, or the one to `ask` for, with how
    /// long it lasts.
    pub async fn find_or(&self, key: &K, ask: impl Future<Output = (V, Duration)>) -> Lookup<V> {
        if let Some(value) = self.find(key) {
            return Lookup {
                value,
                asked: false,
            };
        }
        // The guard is the place in line: dropping it, as when the caller goes away, wakes the
        // next one.
        let guard = match self.answers.get_value_or_guard_async(key).await {
            Ok(stored) => {
                return Lookup {
                    value: stored.value,
                    asked: false,
                };
            }
            Err(guard) => guard,
        };
        let (value, lasting) = ask.await;
        // The clock is read after the answer came, so a slow endpoint does not shorten its life.
        let until = self.clock.elapsed() + lasting;
        // It fails only if the key was forgotten meanwhile: then nothing is stored.
        _ = guard.insert(StoredAnswer {
            value: value.clone(),
            until,
        });
        if lasting.is_zero() {
            self.forget(key);
        }
        Lookup { value, asked: true }
    }

    /// Forgets the answer for a key.
    pub fn forget(&self, key: &K) {
        self.answers.remove(key);
    }

    /// The stored answer for a key, if it is still good.
    pub fn find(&self, key: &K) -> Option<V> {
        let now = self.clock.elapsed();
        let stored = self.answers.get(key)?;
        if now < stored.until {
            return Some(stored.value);
        }
        // Only if it is still the old one: another caller may have stored a new one by now.
        self.answers
            .remove_if(key, |stored| stored.until <= now);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TestClock;
    use portcullis_core::token::NumericDate;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::task::{JoinSet, yield_now};

    fn answers() -> (Arc<TestClock>, Arc<AnswerCache<u8, u32>>) {
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(0)));
        (Arc::clone(&clock), Arc::new(AnswerCache::new(100, clock)))
    }

    #[tokio::test]
    async fn an_answer_lasts_as_long_as_it_says() {
        let (clock, answers) = answers();
        let ask = async |value, seconds| {
            answers
                .find_or(&1, async move { (value, Duration::from_secs(seconds)) })
                .await
                .value
        };
        assert_eq!((ask(1, 5).await, ask(2, 5).await), (1, 1));
        clock.advance(Duration::from_secs(5));
        assert_eq!((ask(3, 0).await, ask(4, 5).await), (3, 4));
        answers.forget(&1);
        assert_eq!((ask(5, 5).await, answers.answers.len()), (5, 1));
    }

    #[tokio::test]
    async fn all_who_come_meanwhile_share_one_question() {
        let (_, answers) = answers();
        let asked = Arc::new(AtomicU32::new(0));
        for lasting in [Duration::from_secs(5), Duration::ZERO] {
            let mut waiting = JoinSet::new();
            for _ in 0..100 {
                let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
                waiting.spawn(async move {
                    let ask = async {
                        let number = asked.fetch_add(1, Ordering::Relaxed);
                        for _ in 0..500 {
                            yield_now().await;
                        }
                        (number, lasting)
                    };
                    answers.find_or(&7, ask).await.value
                });
            }
            let values = waiting.join_all().await;
            assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
            answers.forget(&7);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn the_next_in_line_asks_where_the_first_goes_away() {
        let (_, answers) = answers();
        let first = tokio::spawn({
            let answers = Arc::clone(&answers);
            async move { answers.find_or(&1, std::future::pending()).await.value }
        });
        yield_now().await;
        let second = tokio::spawn({
            let answers = Arc::clone(&answers);
            async move {
                answers
                    .find_or(&1, async { (2, Duration::ZERO) })
                    .await
                    .value
            }
        });
        yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap(), 2);
    }
}
