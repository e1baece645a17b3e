//! The thread that waits: one for each process, from the first need on.
//!
//! Threads do not survive a fork. A child that finds the thread of its parent starts its own, so a
//! program may be loaded before its workers are forked.

use pyo3::{PyResult, Python, pyfunction};
use std::future;
use std::io;
use std::mem;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::thread;
use tokio::runtime::{Builder, Handle};

/// The runtime of one process.
struct Background {
    process: u32,
    handle: Handle,
}

static BACKGROUND: Mutex<Option<Background>> = Mutex::new(None);

/// The runtime of this process. It is started here, if this is its first need.
// Whoever locks holds the GIL, and so does whoever forks: no child finds it locked.
pub(crate) fn handle(_py: Python<'_>) -> PyResult<Handle> {
    let mut background = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    let process = process::id();
    match &*background {
        Some(own) if own.process == process => return Ok(own.handle.clone()),
        _ => {}
    }
    let handle = start()?;
    let own = Background {
        process,
        handle: handle.clone(),
    };
    // The parent's runtime may hold locks whose threads do not exist here: it is left alone.
    mem::forget(background.replace(own));
    Ok(handle)
}

/// Starts a runtime on a thread of its own, for the rest of the process.
fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("portcullis".to_owned())
        .spawn(move || runtime.block_on(future::pending::<()>()))?;
    Ok(handle)
}

/// How many tasks are under way. For tests.
#[pyfunction(name = "_count_tasks")]
pub(crate) fn count_tasks(py: Python<'_>) -> PyResult<usize> {
    Ok(handle(py)?.metrics().num_alive_tasks())
}
