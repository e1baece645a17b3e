//! The life of the gateway, and why a stream is ended early.

use arc_swap::ArcSwapOption;
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{Code, Denial};
use portcullis_resource_server::ResourceServer;
use portcullis_resource_server::clock::Clock;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How long a tunnel has to close after it was told to.
pub(crate) const FAREWELL: Duration = Duration::from_secs(5);

/// How often the token of a stream is checked again.
const RECHECK: Duration = Duration::from_secs(5);

/// Why a stream is ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The token that opened it expired.
    Expired,
    /// The token was revoked, or its revocation can no longer be ruled out.
    Revoked,
    /// The settings in use no longer accept its issuer, its key, or its claims.
    Distrusted,
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
            Self::Expired => "the access token expired",
            Self::Revoked => "the access token was revoked",
            Self::Distrusted => "the access token is no longer accepted",
            Self::Stopping => "the gateway stops",
            Self::Idle => "nothing was sent for too long",
            Self::Old => "the stream has reached its longest life",
        }
    }

    /// Whether the same client may open the stream again at once.
    pub(crate) const fn may_come_back(self) -> bool {
        matches!(self, Self::Stopping | Self::Idle | Self::Old)
    }
}

/// Whether anything goes by: noted by both directions of a stream, and watched for silence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Arc<TrafficFlags>);

#[derive(Debug, Default)]
struct TrafficFlags {
    seen: AtomicBool,
    over: AtomicBool,
}

impl Traffic {
    /// Notes that something went by.
    pub(crate) fn note(&self) {
        self.0.seen.store(true, Ordering::Relaxed);
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
    server: Arc<ArcSwapOption<ResourceServer>>,
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
            server: Arc::default(),
        }
    }

    /// Lets this server decide from now on.
    pub(crate) fn set_server(&self, server: ResourceServer) {
        self.server.store(Some(Arc::new(server)));
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

    /// Why a token that was accepted once is no longer accepted.
    async fn find_objection(&self, token: &AccessToken) -> Option<Cause> {
        let Some(server) = self.server.load_full() else {
            return Some(Cause::Distrusted);
        };
        match server.recheck(token).await {
            Ok(()) => None,
            Err(Denial::Rejection(rejection)) if rejection.code() != Code::TokenRevoked => {
                Some(Cause::Distrusted)
            }
            // An outage counts as well: a store that is down cannot rule a revocation out.
            Err(_) => Some(Cause::Revoked),
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

/// Waits until a token is no longer good: until it expires, or the server in use objects. That is
/// asked at intervals: the token may be revoked, its key withdrawn, or its issuer removed.
pub(crate) async fn no_longer_good(life: Life, clock: Arc<dyn Clock>, token: AccessToken) -> Cause {
    let end = end_of(&token, &*clock);
    loop {
        let left = match end {
            Some(end) => time_until(end, &*clock),
            None => RECHECK,
        };
        if left.is_zero() {
            return Cause::Expired;
        }
        clock.sleep(left.min(RECHECK)).await;
        // At its end a token has expired, whatever else the server would say of it.
        let has_expired = match end {
            Some(end) => clock.now() >= end,
            None => false,
        };
        if !has_expired && let Some(cause) = life.find_objection(&token).await {
            return cause;
        }
    }
}

/// When a stream that this token opens has to end. An introspected token may have no expiry.
fn end_of(token: &AccessToken, clock: &dyn Clock) -> Option<NumericDate> {
    let expires = token.expires()?;
    if expires > clock.now() {
        return Some(expires);
    }
    // It was accepted within the leeway for clocks, so the stream may use up the leeway as well.
    let leeway = i64::try_from(token.verifier().profile().leeway.as_secs()).unwrap_or_default();
    Some(expires.plus(leeway))
}

fn time_until(end: NumericDate, clock: &dyn Clock) -> Duration {
    Duration::from_secs(u64::try_from(end.since(clock.now())).unwrap_or_default())
}
