//! The signals that end a command which keeps running: Ctrl-C, and SIGTERM, which containers,
//! systemd and `kill` send.
//!
//! A container's first process must handle them itself: the kernel has no default action for it.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A listener for the signals. It hears them from the moment it is created.
#[derive(Debug)]
pub(crate) struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// Handlers that cannot be installed.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of the signals.
    pub(crate) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits until this process is told to stop.
///
/// # Errors
///
/// As [`StopSignal::listen`].
pub(crate) async fn stop_signal() -> std::io::Result<()> {
    StopSignal::listen()?.wait().await;
    Ok(())
}
