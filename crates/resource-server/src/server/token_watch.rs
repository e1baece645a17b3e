//! The end of a token that opened a stream: a WebSocket, server-sent events, a gRPC call.
//!
//! A stream sleeps until the denylist changes, and then looks up its marks, which it computed once.
//! Each stream has a moment of its own in every window, so a burst of revocations costs it one
//! lookup a window, and ten thousand streams do not look up in the same instant. What changes
//! without an announcement (keys, the contact with the store) is checked at longer intervals.
//!
//! Not checked: groups and requirements. They were for the request that opened the stream.

use super::ResourceServer;
use crate::revocation::{Revocable, Standing};
use portcullis_core::rejection::Rejection;
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{Code, Denial};
use portcullis_provider::clock::Clock;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// How often everything is checked again: the key, the issuer, and the contact with the store.
const RECHECK: Duration = Duration::from_secs(5);

/// A stream looks up its marks at most once in this time, in milliseconds. The promise is a second;
/// the rest is for the store and for the close.
const WINDOW: u64 = 300;

/// Why a token is no longer good for the stream that it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEnd {
    /// It expired.
    Expired,
    /// It was revoked.
    Revoked,
    /// The server no longer accepts its issuer, its key, or its claims.
    Distrusted,
    /// The store of revocations was not heard from for too long, so a revocation cannot be ruled
    /// out. The token may still be good: the client may try again with it.
    Unknown,
}

impl TokenEnd {
    /// The reason in words for the client, such as for a close frame.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Expired => "the access token expired",
            Self::Revoked => "the access token was revoked",
            Self::Distrusted => "the access token is no longer accepted",
            Self::Unknown => "the access token cannot be checked for now",
        }
    }

    /// Whether the client may open the stream again with the same token.
    pub const fn may_come_back(self) -> bool {
        matches!(self, Self::Unknown)
    }

    fn of(denial: &Denial) -> Self {
        match denial {
            Denial::Rejection(rejection) => match rejection.code() {
                Code::TokenRevoked => Self::Revoked,
                Code::TokenExpired => Self::Expired,
                _ => Self::Distrusted,
            },
            Denial::Outage(_) => Self::Unknown,
        }
    }
}

/// A token that opened a stream, and the moment when it expires for that stream.
///
/// For programs whose server may be replaced while the stream is open; others call
/// [`ResourceServer::wait_for_end`].
#[derive(Clone, Debug)]
pub struct TokenWatch {
    token: AccessToken,
    expires: Option<NumericDate>,
    /// Where in each window this stream looks up its marks, in milliseconds.
    turn: u64,
}

impl ResourceServer {
    /// Waits until a token that this server accepted is no longer good for the stream that it
    /// opened, such as a WebSocket, and returns the reason. Race it with the work of the stream.
    ///
    /// The wait ends
    ///
    /// - at `exp` of the token; for a token that was accepted within the leeway, at its end;
    /// - within half a second after this server hears of a revocation of the token;
    /// - within five seconds after its key was withdrawn, or after the store of revocations is
    ///   silent for longer than the grace.
    ///
    /// ```no_run
    /// # async fn next_event() -> String { String::new() }
    /// # async fn send(event: String) {}
    /// # async fn close(code: u16, reason: &str) {}
    /// use portcullis_core::token::AccessToken;
    /// use portcullis_resource_server::ResourceServer;
    ///
    /// async fn serve(server: ResourceServer, token: AccessToken) {
    ///     let mut end = std::pin::pin!(server.wait_for_end(&token));
    ///     loop {
    ///         tokio::select! {
    ///             end = &mut end => return close(1008, end.phrase()).await,
    ///             event = next_event() => send(event).await,
    ///         }
    ///     }
    /// }
    /// ```
    pub async fn wait_for_end(&self, token: &AccessToken) -> TokenEnd {
        self.watch(token.clone()).wait(self).await
    }

    /// Begins to watch over a token that was accepted just now.
    pub fn watch(&self, token: AccessToken) -> TokenWatch {
        TokenWatch {
            expires: expiry_of(&token, self.0.clock.now()),
            turn: RandomState::new().hash_one(0_u8) % WINDOW,
            token,
        }
    }

    /// Checks a verified token once more: whether this server trusts its issuer with what it says,
    /// whether its key is still published, whether its time is over, and whether it was revoked.
    /// For connections that outlive their first request, where nothing can be awaited for longer;
    /// also where another server verified the token. The issuer is not asked about it.
    ///
    /// # Errors
    ///
    /// The refusal, or the outage that leaves it open.
    pub async fn recheck(&self, token: &AccessToken) -> Result<(), Denial> {
        self.recheck_standing(token, &Standing::default())
            .await
    }

    async fn recheck_standing(
        &self,
        token: &AccessToken,
        standing: &Standing,
    ) -> Result<(), Denial> {
        let issuer = self.0.issuers.find(Some(token.issuer().as_str()))?;
        issuer
            .verifier
            .verify_again(token, self.0.clock.now())?;
        // Without keys nothing shows that this one is gone.
        if let (Some(key), Some(keys)) = (token.key(), issuer.keys.current())
            && !keys.holds(key)
        {
            let kid = token.header().and_then(|header| header.kid.as_deref());
            return Err(Rejection::of_unknown_key(kid).into());
        }
        self.check_revocation(standing, Revocable::Proven(token))
            .await
    }
}

impl TokenWatch {
    /// Waits until the token is no longer good, as this server sees it. Checks at once, and then as
    /// [`ResourceServer::wait_for_end`] does. Dropped and called again with another server, it goes
    /// on with that one, and misses no revocation in between.
    pub async fn wait(&self, server: &ResourceServer) -> TokenEnd {
        let clock = server.clock();
        // Of this server: the numbers of another list's changes say nothing about this one.
        let standing = Standing::default();
        loop {
            let left = match self.expires {
                Some(expires) => time_until(expires, clock),
                None => RECHECK,
            };
            // At its end a token has expired, whatever else the server would say of it.
            if left.is_zero() {
                return TokenEnd::Expired;
            }
            if let Err(denial) = server.recheck_standing(&self.token, &standing).await {
                return TokenEnd::of(&denial);
            }
            tokio::select! {
                () = clock.sleep(left.min(RECHECK)) => {}
                () = self.wait_for_mark(server, &standing) => return TokenEnd::Revoked,
            }
        }
    }

    /// Waits until the token is revoked, as this server sees it, and for nothing else: for bodies
    /// that may outlive the expiry of their token, such as a download. Checks first after a third
    /// of a second, so that a body that is over by then costs nothing.
    pub async fn wait_for_revocation(&self, server: &ResourceServer) {
        self.wait_for_turn(server).await;
        self.wait_for_mark(server, &Standing::default()).await;
    }

    /// Waits for this stream's turn, within a third of a second: so that the streams of a program
    /// do not all go on with another server in the same instant.
    pub async fn wait_for_turn(&self, server: &ResourceServer) {
        let clock = server.clock();
        clock
            .sleep(self.time_until_turn(clock.elapsed()))
            .await;
    }

    async fn wait_for_mark(&self, server: &ResourceServer, standing: &Standing) {
        let revocations = server.revocations();
        let mut changes = revocations.list.subscribe();
        loop {
            // Before the lookup: a change that comes during it ends the wait below at once.
            changes.mark_unchanged();
            let token = Revocable::Proven(&self.token);
            if revocations.find(standing, token).is_some() {
                return;
            }
            // The server holds the list, so it goes on to announce changes.
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
            // Not woken meanwhile: however many changes come, they are one lookup.
            self.wait_for_turn(server).await;
        }
    }

    /// Never zero: the next turn after one is in the next window.
    fn time_until_turn(&self, elapsed: Duration) -> Duration {
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or_default();
        let since_turn = (elapsed % WINDOW + WINDOW - self.turn) % WINDOW;
        Duration::from_millis(WINDOW - since_turn)
    }
}

/// When a stream that this token opens has to end. An introspected token may have no expiry.
fn expiry_of(token: &AccessToken, now: NumericDate) -> Option<NumericDate> {
    let expires = token.expires()?;
    if expires > now {
        return Some(expires);
    }
    // It was accepted within the leeway for clocks, so the stream may use up the leeway as well.
    let leeway = i64::try_from(token.verifier().profile().leeway.as_secs()).unwrap_or_default();
    Some(expires.plus(leeway))
}

fn time_until(end: NumericDate, clock: &dyn Clock) -> Duration {
    Duration::from_secs(u64::try_from(end.since(clock.now())).unwrap_or_default())
}
