//! One token of a source: the cached token, the lock of the fetch, and the backoff after failures.

use crate::client::Client;
use crate::error::Error;
use crate::random;
use crate::request::TokenRequest;
use crate::token::{IssuedToken, TokenResponse};
use arc_swap::ArcSwapOption;
use portcullis_core::token::NumericDate;
use portcullis_provider::clock::Clock;
use portcullis_provider::keys::budget::Budget;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// The place of one token.
pub(super) struct TokenSlot {
    cached: ArcSwapOption<CachedToken>,
    /// Locked during a fetch. The other callers wait for it, and then find the token in the cache.
    turn: Arc<tokio::sync::Mutex<FetchBackoff>>,
    /// The limit on tokens that are dropped because a resource server rejects them.
    drops: Mutex<Budget>,
}

/// A token with its times. Durations are those of the monotonic clock.
struct CachedToken {
    token: IssuedToken,
    renew_at: Duration,
    unusable_at: Duration,
    /// The same by the wall clock: the monotonic clock may stop while a machine sleeps.
    unusable_from: NumericDate,
}

/// The last failure, and the pause after it.
#[derive(Default)]
struct FetchBackoff {
    failures: u32,
    until: Duration,
    error: Option<Error>,
}

/// The time before its expiry when a token is no longer used. The request takes time, and the
/// server's clock may be ahead.
const MARGIN: Duration = Duration::from_secs(30);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const DROPS: u32 = 2;
const DROP_EVERY: Duration = Duration::from_secs(30);

impl Default for TokenSlot {
    fn default() -> Self {
        Self {
            cached: ArcSwapOption::empty(),
            turn: Arc::default(),
            drops: Mutex::new(Budget::new(DROPS, DROP_EVERY)),
        }
    }
}

impl TokenSlot {
    /// The cached token, or a new one.
    pub(super) async fn token(
        self: Arc<Self>,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<IssuedToken, Error> {
        let clock = client.provider().clock();
        if let Some(cached) = self.usable(&**clock) {
            if cached.renew_at <= clock.elapsed() {
                self.renew(client, request);
            }
            return Ok(cached.token.clone());
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // The previous holder of the lock may have fetched a token, or failed.
        if let Some(cached) = self.usable(&**clock) {
            return Ok(cached.token.clone());
        }
        if let Some(error) = turn.in_force(clock.elapsed()) {
            return Err(error);
        }
        // On its own task: a caller that goes away does not cut it off for the others.
        let fetch = tokio::spawn(self.fetch(client.clone(), request.clone(), turn));
        match fetch.await {
            Ok(result) => result,
            Err(_) => Err(Error::outage("the fetch of a token was aborted", None)),
        }
    }

    fn usable(&self, clock: &dyn Clock) -> Option<Arc<CachedToken>> {
        let cached = self.cached.load_full()?;
        cached.is_usable(clock).then_some(cached)
    }

    /// Starts to fetch a new token in the background, unless a fetch is running.
    fn renew(self: Arc<Self>, client: &Client, request: &TokenRequest) {
        // A running fetch is the renewal. Waiting for the lock would queue one fetch per caller.
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else {
            return;
        };
        if turn
            .in_force(client.provider().clock().elapsed())
            .is_none()
        {
            let (client, request) = (client.clone(), request.clone());
            tokio::spawn(async move {
                if let Err(error) = self.fetch(client.clone(), request, turn).await {
                    tracing::warn!(?client, %error, "the token could not be renewed; the current \
                        one stays in use");
                }
            });
        }
    }

    async fn fetch(
        self: Arc<Self>,
        client: Client,
        request: TokenRequest,
        mut turn: OwnedMutexGuard<FetchBackoff>,
    ) -> Result<IssuedToken, Error> {
        let clock = Arc::clone(client.provider().clock());
        let (began, requested_at) = (clock.elapsed(), clock.now());
        match client.client_credentials(&request).await {
            Ok(tokens) => {
                let cached = CachedToken::new(&tokens, began, requested_at);
                self.cached.store(Some(Arc::new(cached)));
                *turn = FetchBackoff::default();
                Ok(tokens.access_token().clone())
            }
            Err(error) => {
                turn.note(&error, clock.elapsed());
                Err(error)
            }
        }
    }

    /// Drops a token that a resource server rejected. Returns whether another one can be had.
    pub(super) fn invalidate(&self, token: &IssuedToken, now: Duration) -> bool {
        let mut drops = self
            .drops
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(cached) = self.cached.load_full() else {
            return true;
        };
        // Another caller has replaced it already.
        if cached.token != *token {
            return true;
        }
        // Without a budget, a resource server that rejects every token would turn each request into
        // a request to the provider.
        if !drops.take(now) {
            return false;
        }
        self.cached.store(None);
        true
    }
}

impl CachedToken {
    fn new(tokens: &TokenResponse, began: Duration, requested_at: NumericDate) -> Self {
        let token = tokens.access_token().clone();
        let lifetime = token.expires_at().since(requested_at);
        let lifetime = Duration::from_secs(u64::try_from(lifetime).unwrap_or_default());
        let margin = MARGIN.min(lifetime / 10);
        // At a random point between 70 and 80 percent of the lifetime: replicas that start together
        // must not renew together.
        let renew_at = began + lifetime.mul_f64(0.7 + 0.1 * random::fraction());
        let whole_margin = i64::try_from(margin.as_secs()).unwrap_or_default();
        let unusable_from = token.expires_at().plus(-whole_margin);
        Self {
            token,
            renew_at,
            unusable_at: began + lifetime - margin,
            unusable_from,
        }
    }

    fn is_usable(&self, clock: &dyn Clock) -> bool {
        clock.elapsed() < self.unusable_at && clock.now() < self.unusable_from
    }
}

impl FetchBackoff {
    /// The error that callers get in place of a new request.
    fn in_force(&self, now: Duration) -> Option<Error> {
        if now < self.until {
            self.error.clone()
        } else {
            None
        }
    }

    fn note(&mut self, error: &Error, now: Duration) {
        let doubled = SHORTEST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures));
        let pause = doubled.min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        // A `Retry-After` may be longer than the pause, but never shortens it.
        self.until = now + error.retry_after().unwrap_or_default().max(pause);
        self.error = Some(error.clone());
    }
}
