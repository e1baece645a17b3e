//! The threads that wait: two for each process, from the first need on.
//!
//! One runs the runtime, and never takes the GIL: a handler that computes for seconds must not let
//! fetches run into their timeouts. The other brings what the runtime has found to Python.
//!
//! Threads do not survive a fork. A child that finds those of its parent starts its own, so a
//! program may be loaded before its workers are forked.

use crate::log;
use crate::process::PerProcess;
use pyo3::{PyResult, Python, pyfunction};
use std::future;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use tokio::runtime::{Builder, Handle};

/// Work that needs the GIL, for a moment.
pub(crate) type Delivery = Box<dyn FnOnce(Python<'_>) + Send>;

/// The threads of one process.
#[derive(Clone)]
pub(crate) struct Background {
    pub(crate) runtime: Handle,
    pub(crate) deliveries: Sender<Delivery>,
}

static BACKGROUND: PerProcess<Background> = PerProcess::new();

/// The threads of this process. They are started here, if this is their first need.
pub(crate) fn background(_py: Python<'_>) -> PyResult<Background> {
    let own = BACKGROUND.get(|| {
        let deliveries = start_deliveries()?;
        log::deliver_by(deliveries.clone());
        Ok::<_, io::Error>(Background {
            runtime: start_runtime()?,
            deliveries,
        })
    });
    Ok(own?)
}

/// Starts a runtime on a thread of its own, for the rest of the process.
fn start_runtime() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("portcullis".to_owned())
        .spawn(move || runtime.block_on(future::pending::<()>()))?;
    Ok(handle)
}

/// Starts the thread that takes the GIL.
fn start_deliveries() -> io::Result<Sender<Delivery>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("portcullis-gil".to_owned())
        .spawn(move || deliver_all(&receiver))?;
    Ok(sender)
}

fn deliver_all(deliveries: &Receiver<Delivery>) {
    while let Ok(delivery) = deliveries.recv() {
        // An interpreter that shuts down waits for nothing any more.
        _ = Python::try_attach(|py| {
            delivery(py);
            // Many may wait for one key: the GIL is taken once for all of them.
            for delivery in deliveries.try_iter() {
                delivery(py);
            }
        });
    }
}

/// Whether this is a build for tests, whose times mean nothing.
#[pyfunction(name = "_is_debug_build")]
pub(crate) fn is_debug_build() -> bool {
    cfg!(debug_assertions)
}
