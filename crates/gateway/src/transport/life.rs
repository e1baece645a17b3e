//! Whether the gateway goes on, and why a stream must end before its time.

use arc_swap::ArcSwapOption;
use portcullis_core::token::AccessToken;
use portcullis_core::{Code, Denial};
use portcullis_resource_server::ResourceServer;
use portcullis_resource_server::clock::Clock;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How long whoever is told that it is over has to go.
pub(crate) const FAREWELL: Duration = Duration::from_secs(5);

/// How often the denylist is looked at for what goes on.
const LOOK: Duration = Duration::from_secs(5);

/// Why a stream ends that has not ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The token expired that opened it.
    Expired,
    /// The token was revoked, or nobody can tell any more whether it was.
    Revoked,
    /// Its issuer, its key, or what its issuer says in it is no longer accepted by the settings in
    /// use.
    Distrusted,
    /// The gateway stops: another one may go on.
    Stopping,
    /// Nothing came from either side.
    Idle,
    /// It went on for as long as a stream may that no token ends.
    Old,
}

impl Cause {
    /// What a client is told.
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
}

impl Cause {
    /// Whether the same client may open the stream again at once.
    pub(crate) const fn may_come_back(self) -> bool {
        matches!(self, Self::Stopping | Self::Idle | Self::Old)
    }
}

/// Whether anything goes by: told by those who carry it, asked by whoever waits for silence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Arc<TrafficFlags>);

#[derive(Debug, Default)]
struct TrafficFlags {
    seen: AtomicBool,
    over: AtomicBool,
}

impl Traffic {
    pub(crate) fn seen(&self) {
        self.0.seen.store(true, Ordering::Relaxed);
    }

    /// The answer is over: what still comes is for nobody.
    pub(crate) fn end(&self) {
        self.0.over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }

    /// Waits until nothing went by for so long, or a quarter longer.
    pub(crate) async fn silence(self, clock: Arc<dyn Clock>, idle: Duration) {
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

/// The end of a stream, to be waited for.
pub(crate) type End = Pin<Box<dyn Future<Output = Cause> + Send>>;

/// The life of a gateway, from the side of those who live in it.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    stopping: watch::Receiver<bool>,
    beside: watch::Sender<()>,
    /// The server of the settings in use: what goes on through a reload is judged by it.
    server: Arc<ArcSwapOption<ResourceServer>>,
}

/// Something that goes on beside the connections, such as a tunnel.
#[derive(Debug)]
pub(crate) struct Beside(
    #[expect(dead_code, reason = "it is held, and counted")] watch::Receiver<()>,
);

impl Life {
    /// A life until `stopping` says otherwise.
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self {
            stopping,
            beside: watch::Sender::new(()),
            server: Arc::default(),
        }
    }

    /// From now on, this server decides.
    pub(crate) fn decides_by(&self, server: ResourceServer) {
        self.server.store(Some(Arc::new(server)));
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// When the gateway stops, or when the token does, whichever is first.
    pub(crate) fn end(&self, token: Option<impl Future<Output = Cause> + Send + 'static>) -> End {
        let mut stopping = self.stopping.clone();
        Box::pin(async move {
            let over = async {
                match token {
                    Some(token) => token.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                cause = over => cause,
                // Who could say that it stops is gone: then it has.
                _ = stopping.wait_for(|stopping| *stopping) => Cause::Stopping,
            }
        })
    }

    /// Why a token that was good when something began is good no longer.
    async fn objection(&self, token: &AccessToken) -> Option<Cause> {
        let Some(server) = self.server.load_full() else {
            return Some(Cause::Distrusted);
        };
        match server.recheck(token).await {
            Ok(()) => None,
            Err(Denial::Rejection(rejection)) if rejection.code() != Code::TokenRevoked => {
                Some(Cause::Distrusted)
            }
            Err(_) => Some(Cause::Revoked),
        }
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

/// Waits until a token is no longer good: until it expires, and asking the server in use from time
/// to time whether it was revoked, its key withdrawn, or its issuer taken out of the settings.
pub(crate) async fn no_longer_good(life: Life, clock: Arc<dyn Clock>, token: AccessToken) -> Cause {
    let leeway = i64::try_from(token.verifier().profile().leeway.as_secs()).unwrap_or_default();
    // Who came in the time that clocks may be apart stays for as long as they could have come. A
    // token that was asked about may have no end of its own.
    let until = token.expires().map(|expires| {
        if expires > clock.now() {
            expires
        } else {
            expires.plus(leeway)
        }
    });
    loop {
        let left = until.map_or(LOOK, |until| {
            Duration::from_secs(u64::try_from(until.since(clock.now())).unwrap_or_default())
        });
        if left.is_zero() {
            return Cause::Expired;
        }
        clock.sleep(left.min(LOOK)).await;
        if until.is_none_or(|until| clock.now() < until)
            && let Some(cause) = life.objection(&token).await
        {
            return cause;
        }
    }
}
