//! What belongs to one process: threads and connections do not survive a fork.

use std::mem;
use std::process;
use std::sync::{Mutex, PoisonError};

/// A value that only the process that made it uses and drops. In a child of a fork it may hold
/// locks of threads that do not exist there.
pub(crate) struct ProcessValue<T> {
    owner: u32,
    value: Option<T>,
}

impl<T> ProcessValue<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            owner: process::id(),
            value: Some(value),
        }
    }

    /// The value, in the process that made it.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.is_own())
    }

    /// The value, in the process that made it.
    pub(crate) fn into_inner(mut self) -> Option<T> {
        if self.is_own() {
            self.value.take()
        } else {
            None
        }
    }

    fn is_own(&self) -> bool {
        self.owner == process::id()
    }
}

impl<T> Drop for ProcessValue<T> {
    fn drop(&mut self) {
        if !self.is_own() {
            mem::forget(self.value.take());
        }
    }
}

/// A value that each process makes for itself, at its first need.
pub(crate) struct PerProcess<T>(Mutex<Option<ProcessValue<T>>>);

impl<T: Clone> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The value of this process.
    // The GIL is held while this is locked, and during a fork: a child never finds it locked. So
    // `make` must not run Python, which may hand the GIL to a thread that waits here.
    pub(crate) fn get<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = own.as_ref().and_then(ProcessValue::get) {
            return Ok(value.clone());
        }
        let value = make()?;
        *own = Some(ProcessValue::new(value.clone()));
        Ok(value)
    }
    /// Drops the value of this process, if it is such a one: the next need makes another.
    // Locked with the GIL held, as in `get`.
    pub(crate) fn forget_if(&self, is_meant: impl FnOnce(&T) -> bool) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if own
            .as_ref()
            .and_then(ProcessValue::get)
            .is_some_and(is_meant)
        {
            *own = None;
        }
    }
}
