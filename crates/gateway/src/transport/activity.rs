//! The requests of one connection: how many are under way, and when the last one ended.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A connection may cancel this many requests before their response, and more where it read other
/// responses.
const MOST_CANCELLED: u64 = 100;
/// Decoded header fields may be at most this many times as large as the bytes received.
const MOST_EXPANSION: u64 = 16;
/// An allowance for clients that compress before they have read our settings.
const ALLOWANCE: u64 = 4_096;

/// The requests of one connection.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    begun: AtomicBool,
    under_way: AtomicUsize,
    /// When the last request ended, in milliseconds since the beginning.
    ended: AtomicU64,
    answered: AtomicU64,
    cancelled: AtomicU64,
    /// Bytes received, including frames and bodies.
    received: Arc<AtomicU64>,
    fields: AtomicU64,
    /// Notified when the client cancels too many requests.
    pub(crate) abuse: Notify,
}

/// A request under way. It counts until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    activity: Arc<Activity>,
    answered: bool,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            begun: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            received: Arc::default(),
            fields: AtomicU64::new(0),
            abuse: Notify::new(),
        })
    }

    /// The counter of received bytes, for the reader of the socket.
    pub(crate) fn byte_counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.received)
    }

    pub(crate) fn begin(self: &Arc<Self>) -> OpenRequest {
        self.begun.store(true, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        OpenRequest {
            activity: Arc::clone(self),
            answered: false,
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// The time since the last request ended; `None` while one is under way.
    pub(crate) fn idle(&self) -> Option<Duration> {
        if self.under_way.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let ended = Duration::from_millis(self.ended.load(Ordering::Relaxed));
        Some(self.began.elapsed().saturating_sub(ended))
    }

    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Counts decoded header fields; whether they are still in proportion to the bytes received.
    pub(crate) fn is_in_proportion(&self, fields: u64) -> bool {
        // HPACK lets one byte on the wire repeat a whole field ("HPACK bomb").
        let before = self.fields.fetch_add(fields, Ordering::Relaxed);
        let received = self.received.load(Ordering::Relaxed);
        let most = received.saturating_mul(MOST_EXPANSION);
        before.saturating_add(fields) <= most.saturating_add(ALLOWANCE)
    }
}

impl OpenRequest {
    /// Marks the request as answered.
    pub(crate) fn mark_answered(mut self) -> Self {
        self.answered = true;
        self.activity.answered.fetch_add(1, Ordering::Relaxed);
        self
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let activity = &self.activity;
        let now = u64::try_from(activity.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        activity.ended.store(now, Ordering::Relaxed);
        activity.under_way.fetch_sub(1, Ordering::Relaxed);
        if self.answered {
            return;
        }
        // Rapid reset (CVE-2023-44487): a reset stream costs the client little and us a request.
        // A browser that leaves a page cancels many as well, but it reads more.
        let cancelled = activity.cancelled.fetch_add(1, Ordering::Relaxed) + 1;
        let answered = activity.answered.load(Ordering::Relaxed);
        if cancelled > MOST_CANCELLED && cancelled > answered {
            activity.abuse.notify_one();
        }
    }
}

/// Adds or removes up to a tenth at random, so that connections that began together do not end
/// together.
pub(crate) fn jitter(duration: Duration) -> Duration {
    // The standard library seeds each hasher at random, so no generator is needed.
    let chance = RandomState::new().hash_one(0_u8) % 201;
    duration.saturating_mul(u32::try_from(900 + chance).unwrap_or(1_000)) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_since_its_last_request() {
        let activity = Activity::new();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(activity.idle(), Some(Duration::from_secs(5)));
        let (one, two) = (activity.begin(), activity.begin());
        drop(one.mark_answered());
        assert_eq!(activity.idle(), None);
        tokio::time::advance(Duration::from_secs(5)).await;
        drop(two.mark_answered());
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(activity.idle(), Some(Duration::from_secs(3)));
        assert_eq!(activity.age(), Duration::from_secs(13));
    }

    #[tokio::test]
    async fn a_connection_that_cancels_most_of_its_requests_is_abusive() {
        let is_abuse = async |answered: usize, cancelled: usize| {
            let activity = Activity::new();
            (0..answered).for_each(|_| drop(activity.begin().mark_answered()));
            (0..cancelled).for_each(|_| drop(activity.begin()));
            let mut abuse = std::pin::pin!(activity.abuse.notified());
            abuse.as_mut().enable()
        };
        assert!(!is_abuse(0, 100).await && is_abuse(0, 101).await);
        assert!(!is_abuse(200, 200).await && is_abuse(200, 201).await);
    }

    #[test]
    fn header_fields_are_bounded_by_the_bytes_received() {
        let activity = Activity::new();
        assert!(activity.is_in_proportion(4_096) && !activity.is_in_proportion(1));
        activity
            .byte_counter()
            .fetch_add(100, Ordering::Relaxed);
        assert!(activity.is_in_proportion(1_599) && !activity.is_in_proportion(1));
    }

    #[test]
    fn connection_lives_differ() {
        let lives: Vec<Duration> = (0..50)
            .map(|_| jitter(Duration::from_secs(1_000)))
            .collect();
        assert!(
            lives
                .iter()
                .all(|life| (900..=1_100).contains(&life.as_secs()))
        );
        assert!(lives.iter().any(|life| *life != lives[0]));
    }
}
