//! Connections to a server that wait for their next request: the last one used is the next, and
//! none waits for long.

use super::link::Link;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Shorter than the five seconds after which many servers close an idle connection, so that a
/// request seldom meets one that is being closed.
pub(super) const MOST_IDLE_TIME: Duration = Duration::from_secs(4);
pub(super) const MOST_IDLE: usize = 256;

/// The idle connections to one server.
#[derive(Debug, Default)]
pub(super) struct IdlePool(Mutex<IdleLinks>);

#[derive(Debug, Default)]
struct IdleLinks {
    /// Since when each has been waiting, the longest first.
    links: Vec<(Instant, Box<Link>)>,
    /// Whether a task closes those that wait too long.
    has_reaper: bool,
}

impl IdlePool {
    /// A connection that can carry a request.
    pub(super) fn take(&self) -> Option<Box<Link>> {
        loop {
            // The newest first: it is the least likely to be closed by now.
            let (since, mut link) = self.lock().links.pop()?;
            if since.elapsed() < MOST_IDLE_TIME && link.is_ready() {
                return Some(link);
            }
        }
    }

    /// Keeps a connection for another request, if it can carry one.
    pub(super) fn keep(self: &Arc<Self>, mut link: Box<Link>) {
        if !link.is_ready() {
            return;
        }
        let mut idle = self.lock();
        if idle.links.len() >= MOST_IDLE {
            return;
        }
        idle.links.push((Instant::now(), link));
        if !idle.has_reaper {
            idle.has_reaper = true;
            // Weak, so that the task does not keep the pool of a server that a reload removed.
            tokio::spawn(reap(Arc::downgrade(self)));
        }
    }

    /// Takes out those that have waited long enough; also whether any are left. The caller drops
    /// them without the lock.
    fn take_expired(&self) -> (Vec<(Instant, Box<Link>)>, bool) {
        let mut idle = self.lock();
        let count = idle
            .links
            .partition_point(|(since, _)| since.elapsed() >= MOST_IDLE_TIME);
        let expired = idle.links.drain(..count).collect();
        // Under the same lock as `keep`, so that a link kept from now on gets a new reaper.
        idle.has_reaper = !idle.links.is_empty();
        (expired, idle.has_reaper)
    }

    fn lock(&self) -> MutexGuard<'_, IdleLinks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections that waited too long, until none is left.
async fn reap(pool: Weak<IdlePool>) {
    loop {
        tokio::time::sleep(MOST_IDLE_TIME).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let (_expired, left) = pool.take_expired();
        if !left {
            return;
        }
    }
}
