//! Connections to a server that wait for their next request: the last one used is the next, and
//! none waits for long.

use super::Server;
use super::link::Link;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Shorter than the five seconds after which many servers close an idle connection, so that a
/// request seldom meets one that is being closed.
pub(super) const IDLE: Duration = Duration::from_secs(4);
pub(super) const MOST_IDLE: usize = 256;

/// The idle connections to one server.
#[derive(Debug, Default)]
pub(super) struct Idle(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Since when each has been waiting, the longest first.
    links: Vec<(Instant, Box<Link>)>,
    /// Whether somebody looks after them.
    watched: bool,
}

impl Idle {
    /// A connection that can carry a request.
    pub(super) fn take(&self) -> Option<Box<Link>> {
        loop {
            let (since, mut link) = self.waiting().links.pop()?;
            if since.elapsed() < IDLE && link.is_ready() {
                return Some(link);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that have waited long enough, and whether any are left. To be dropped without the
    /// lock.
    fn outworn(&self) -> (Vec<(Instant, Box<Link>)>, bool) {
        let mut waiting = self.waiting();
        let outworn = waiting
            .links
            .partition_point(|(since, _)| since.elapsed() >= IDLE);
        let outworn = waiting.links.drain(..outworn).collect();
        waiting.watched = !waiting.links.is_empty();
        (outworn, waiting.watched)
    }
}

impl Server {
    /// Keeps a connection for another request, if it can carry one.
    pub(super) fn keep(self: &Arc<Self>, mut link: Box<Link>) {
        if !link.is_ready() {
            return;
        }
        let mut waiting = self.idle.waiting();
        if waiting.links.len() >= MOST_IDLE {
            return;
        }
        waiting.links.push((Instant::now(), link));
        if !waiting.watched {
            waiting.watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }
}

/// Closes connections that waited too long, until none is left.
async fn watch(server: Weak<Server>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(server) = server.upgrade() else {
            return;
        };
        let (_outworn, left) = server.idle.outworn();
        if !left {
            return;
        }
    }
}
