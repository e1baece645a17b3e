//! The life of the gateway, and why a stream is ended early.

use portcullis_core::Denial;
use portcullis_core::rejection::Rejection;
use portcullis_core::token::AccessToken;
use portcullis_resource_server::clock::Clock;
use portcullis_resource_server::{ResourceServer, TokenEnd, TokenWatch};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How long a tunnel has to close after it was told to.
pub(crate) const FAREWELL: Duration = Duration::from_secs(5);

/// Why a stream is ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The token that opened it is no longer good.
    Token(TokenEnd),
    /// The gateway stops: another one may go on.
    Stopping,
    /// Nothing came from either side.
    Idle,
    /// A stream without a token reached its maximum age.
    Old,
}

impl Cause {
    /// The reason that the client gets.
    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::Token(end) => end.phrase(),
            Self::Stopping => "the gateway stops",
            Self::Idle => "nothing was sent for too long",
            Self::Old => "the stream has reached its longest life",
        }
    }

    /// Whether the same client may open the stream again with the same token.
    pub(crate) const fn may_come_back(self) -> bool {
        match self {
            Self::Token(end) => end.may_come_back(),
            Self::Stopping | Self::Idle | Self::Old => true,
        }
    }
}

/// Whether anything goes by: noted by both directions of a stream, and watched for silence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Arc<TrafficFlags>);

#[derive(Debug, Default)]
struct TrafficFlags {
    seen: AtomicBool,
    streaming: AtomicBool,
    over: AtomicBool,
}

impl Traffic {
    /// Notes that something went by.
    pub(crate) fn note(&self) {
        self.0.seen.store(true, Ordering::Relaxed);
    }

    /// Notes that the response is a stream that has begun: it ends with the token by itself.
    pub(crate) fn begin_stream(&self) {
        self.0.streaming.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_stream(&self) -> bool {
        self.0.streaming.load(Ordering::Relaxed)
    }

    /// Notes that the response is over: nobody reads the rest of the request.
    pub(crate) fn end(&self) {
        self.0.over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }

    /// Waits until nothing went by for this long, or up to a quarter longer.
    pub(crate) async fn silence(self, clock: Arc<dyn Clock>, idle: Duration) {
        // A flag and a coarse timer: resetting a timer for each frame would cost every frame.
        let mut quarters = 0;
        while quarters < 4 {
            clock.sleep(idle / 4).await;
            quarters = if self.0.seen.swap(false, Ordering::Relaxed) {
                0
            } else {
                quarters + 1
            };
        }
    }
}

/// Resolves when a stream has to end.
pub(crate) type End = Pin<Box<dyn Future<Output = Cause> + Send>>;

/// The life of a gateway, for its streams and tunnels.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    stopping: watch::Receiver<bool>,
    background: watch::Sender<()>,
    /// The server of the settings in use: it also decides on streams from before a reload.
    server: Arc<watch::Sender<Option<ResourceServer>>>,
}

/// What ends under the watch over a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatchScope {
    /// A stream ends as soon as its token is no longer good.
    Stream,
    /// Any other body may outlive the expiry of its token, but not its revocation.
    Body,
}

/// Something that outlives its connection's service, such as a tunnel. It counts until it is
/// dropped.
#[derive(Debug)]
pub(crate) struct BackgroundTask(
    #[expect(dead_code, reason = "it is held, and counted")] watch::Receiver<()>,
);

impl Life {
    /// A life until `stopping` turns true.
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self {
            stopping,
            background: watch::Sender::new(()),
            server: Arc::new(watch::Sender::new(None)),
        }
    }

    /// Lets this server decide from now on.
    pub(crate) fn set_server(&self, server: ResourceServer) {
        self.server.send_if_modified(|current| {
            // Where a reload keeps the server, its streams need not check again.
            let is_same = current
                .as_ref()
                .is_some_and(|current| current.is_same(&server));
            *current = Some(server);
            !is_same
        });
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Resolves when the gateway stops, or when `token` does, whichever is first.
    pub(crate) fn end(&self, token: Option<impl Future<Output = Cause> + Send + 'static>) -> End {
        let mut stopping = self.stopping.clone();
        Box::pin(async move {
            let token_ends = async {
                match token {
                    Some(token) => token.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                cause = token_ends => cause,
                // Also if the sender was dropped: then the gateway has stopped.
                _ = stopping.wait_for(|stopping| *stopping) => Cause::Stopping,
            }
        })
    }

    /// Waits for the end of a token, with the server in use: a reload may replace the one that let
    /// it in.
    pub(crate) async fn follow(self, watch: TokenWatch, scope: WatchScope) -> TokenEnd {
        let mut servers = self.server.subscribe();
        loop {
            let Some(server) = servers.borrow_and_update().clone() else {
                return TokenEnd::Distrusted;
            };
            let end = async {
                match scope {
                    WatchScope::Stream => watch.wait(&server).await,
                    WatchScope::Body => {
                        watch.wait_for_revocation(&server).await;
                        TokenEnd::Revoked
                    }
                }
            };
            tokio::select! {
                end = end => return end,
                // Each in its turn: a reload must not make all streams check in one instant.
                Ok(()) = servers.changed() => watch.wait_for_turn(&server).await,
            }
        }
    }

    /// Why the server in use refuses a token whose request was cut.
    pub(crate) async fn refuse(&self, token: &AccessToken) -> Denial {
        let server = self.server.borrow().clone();
        match server {
            Some(server) => match server.recheck(token).await {
                Err(denial) => denial,
                // Streams get no leeway beyond `exp`, and other requests do.
                Ok(()) => Rejection::of_expiry().into(),
            },
            None => Rejection::of_expiry().into(),
        }
    }

    /// Counts a task that outlives its connection's service.
    pub(crate) fn begin_background(&self) -> BackgroundTask {
        BackgroundTask(self.background.subscribe())
    }

    /// Waits for background tasks, within a timeout.
    pub(crate) async fn finish(&self) {
        _ = tokio::time::timeout(FAREWELL, self.background.closed()).await;
    }
}

/// Waits until a token is no longer good for the stream that it opened.
pub(crate) async fn no_longer_good(life: Life, watch: TokenWatch) -> TokenEnd {
    life.follow(watch, WatchScope::Stream).await
}
