//! Whether the gateway goes on, and why a stream must end before its time.

use std::pin::Pin;
use std::time::Duration;
use tokio::sync::watch;

/// How long whoever is told that it is over has to go.
pub(crate) const FAREWELL: Duration = Duration::from_secs(5);

/// Why a stream ends that has not ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The token expired that opened it.
    Expired,
    /// The gateway stops: another one may go on.
    Stopping,
}

/// The end of a stream, to be waited for.
pub(crate) type End = Pin<Box<dyn Future<Output = Cause> + Send>>;

/// The life of a gateway, from the side of those who live in it.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    stopping: watch::Receiver<bool>,
    beside: watch::Sender<()>,
}

/// Something that goes on beside the connections, such as a tunnel.
#[derive(Debug)]
pub(crate) struct Beside(#[expect(dead_code, reason = "it is held, and counted")] watch::Receiver<()>);

impl Life {
    /// A life until `stopping` says otherwise.
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self { stopping, beside: watch::Sender::new(()) }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// When the gateway stops, or when the token does, whichever is first.
    pub(crate) fn end(&self, token: Option<impl Future<Output = ()> + Send + 'static>) -> End {
        let mut stopping = self.stopping.clone();
        Box::pin(async move {
            let expired = async {
                match token {
                    Some(token) => token.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expired => Cause::Expired,
                // Who could say that it stops is gone: then it has.
                _ = stopping.wait_for(|stopping| *stopping) => Cause::Stopping,
            }
        })
    }

    /// Counts something that goes on beside the connections.
    pub(crate) fn beside(&self) -> Beside {
        Beside(self.beside.subscribe())
    }

    /// Waits until nothing goes on beside the connections, but not for ever.
    pub(crate) async fn over(&self) {
        _ = tokio::time::timeout(FAREWELL, self.beside.closed()).await;
    }
}
