//! One fetch at a time: callers that come meanwhile wait for the same one.

use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// The fetches of one cache, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// The number of the last one that began.
    begun: Mutex<u64>,
    /// The number of the last one that landed.
    landed: watch::Sender<u64>,
}

/// A fetch to wait for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) number: u64,
    /// Whether it was under way before, so that its answer may be older than the question.
    pub(super) joined: bool,
}

impl Flights {
    /// Joins the fetch under way, or begins this one if `may_start` says so.
    pub(super) fn join_or_start(
        &self,
        may_start: impl FnOnce() -> bool,
        fetch: impl Future<Output = ()> + Send + 'static,
    ) -> Option<Flight> {
        // Held while `may_start` decides, so that two callers do not spend the budget twice.
        let mut begun = self
            .begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *begun > *self.landed.borrow() {
            return Some(Flight {
                number: *begun,
                joined: true,
            });
        }
        if !may_start() {
            return None;
        }
        *begun += 1;
        let number = *begun;
        let landing = Landing {
            landed: self.landed.clone(),
            number,
        };
        // On its own task: a caller that goes away does not cut it off for the others.
        tokio::spawn(async move {
            fetch.await;
            drop(landing);
        });
        Some(Flight {
            number,
            joined: false,
        })
    }

    /// Whether a fetch has begun that has not landed.
    pub(super) fn is_under_way(&self) -> bool {
        let begun = self
            .begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *begun > *self.landed.borrow()
    }

    /// Waits until the fetch of this number is over.
    pub(super) async fn landing(&self, number: u64) {
        let mut landed = self.landed.subscribe();
        // The sender lives as long as `self` does, so this cannot fail.
        _ = landed.wait_for(|landed| *landed >= number).await;
    }
}

/// Announces the end of a fetch even if it panics.
struct Landing {
    landed: watch::Sender<u64>,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.landed.send_replace(self.number);
    }
}
