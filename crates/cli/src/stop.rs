//! When a command that runs on is told to end: by Ctrl-C, or by SIGTERM, as containers, systemd and
//! `kill` say it. The first process of a container has to listen: for it the system does nothing by
//! itself.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that tell it, listened to from the moment when this is made.
#[derive(Debug)]
pub(crate) struct Stop {
    terminated: Signal,
    interrupted: Signal,
}

impl Stop {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// Signals that cannot be listened to.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits until one comes.
    pub(crate) async fn told(mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }
}

/// Waits until this process is told to end.
///
/// # Errors
///
/// Signals that cannot be listened to.
pub(crate) async fn told_to_stop() -> std::io::Result<()> {
    Stop::listen()?.told().await;
    Ok(())
}
