//! Faults on command, so that tests can see what becomes of a provider's failures.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What an endpoint does instead of answering properly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it answers properly.
    #[default]
    None,
    /// It answers 500.
    InternalError,
    /// It answers 200 with a web page.
    Html,
    /// It answers 200 with a document of 10 MB.
    Huge,
    /// It redirects to itself.
    Redirect,
    /// It never answers.
    Hang,
    /// It answers with an object that has no keys, or no members.
    Empty,
    /// It answers with the first half of the document.
    Truncated,
    /// It answers 401 `invalid_client`, whoever asks.
    Unauthorized,
    /// It answers 429, with `Retry-After: 7`.
    TooManyRequests,
}

/// The switch and the counter of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    fault: Mutex<Fault>,
    requests: AtomicU64,
}

impl Switch {
    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Counts a request, and says how to answer it.
    pub(crate) fn request(&self) -> Fault {
        self.requests.fetch_add(1, Ordering::SeqCst);
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}
