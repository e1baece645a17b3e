//! What belongs to one process: threads and connections do not survive a fork.

use std::mem;
use std::process;
use std::sync::{Mutex, PoisonError};

/// A value that each process makes for itself, at its first need.
pub(crate) struct PerProcess<T>(Mutex<Option<(u32, T)>>);

impl<T: Clone> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The value of this process.
    // The GIL is held while this is locked, and during a fork: a child never finds it locked. So
    // `make` must not run Python, which may hand the GIL to a thread that waits here.
    pub(crate) fn get<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let process = process::id();
        if let Some((owner, value)) = &*own
            && *owner == process
        {
            return Ok(value.clone());
        }
        let value = make()?;
        // The parent's may hold locks whose threads do not exist here: it is never dropped.
        mem::forget(own.replace((process, value.clone())));
        Ok(value)
    }
}
