//! One token of a source: the one that is held, whose turn it is to fetch, and how the last fetches
//! went.

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

/// A place for one token.
pub(super) struct TokenSlot {
    held: ArcSwapOption<CachedToken>,
    /// Held while a token is fetched: the others wait for their turn, and find it there.
    turn: Arc<tokio::sync::Mutex<FetchBackoff>>,
    /// How many tokens may be dropped because a resource server does not take them.
    drops: Mutex<Budget>,
}

/// A token, and how long it is good for. Times are those of the clock that never goes back.
struct CachedToken {
    token: IssuedToken,
    renew_at: Duration,
    unusable_at: Duration,
    /// The same by the time of day: the other clock may stand still while a machine sleeps.
    unusable_from: NumericDate,
}

/// What went wrong of late.
#[derive(Default)]
struct FetchBackoff {
    failures: u32,
    until: Duration,
    error: Option<Error>,
}

/// So much before its end a token is no longer used: it has to get to a server whose clock may be
/// ahead.
const MARGIN: Duration = Duration::from_secs(30);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const DROPS: u32 = 2;
const DROP_EVERY: Duration = Duration::from_secs(30);

impl Default for TokenSlot {
    fn default() -> Self {
        let drops = Mutex::new(Budget::new(DROPS, DROP_EVERY));
        Self {
            held: ArcSwapOption::empty(),
            turn: Arc::default(),
            drops,
        }
    }
}

impl TokenSlot {
    /// The token that is held, or a new one.
    pub(super) async fn token(
        self: Arc<Self>,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<IssuedToken, Error> {
        let clock = client.provider().clock();
        if let Some(held) = self.held.load_full().filter(|held| held.is_good(&**clock)) {
            if held.renew_at <= clock.elapsed() {
                self.renew(client, request);
            }
            return Ok(held.token.clone());
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // Whoever had the turn before may have brought one, or learned that there is none.
        if let Some(held) = self.held.load_full().filter(|held| held.is_good(&**clock)) {
            return Ok(held.token.clone());
        }
        if let Some(error) = turn.in_force(clock.elapsed()) {
            return Err(error);
        }
        // On its own task: a caller that goes away does not cut it off for the others.
        let fetch = tokio::spawn(self.fetch(client.clone(), request.clone(), turn));
        fetch
            .await
            .unwrap_or_else(|_| Err(Error::outage("the fetch of a token broke off", None)))
    }

    /// Begins to fetch a new token, unless somebody does already.
    fn renew(self: Arc<Self>, client: &Client, request: &TokenRequest) {
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else {
            return;
        };
        if turn.in_force(client.provider().clock().elapsed()).is_none() {
            let (client, request) = (client.clone(), request.clone());
            tokio::spawn(async move {
                if let Err(error) = self.fetch(client.clone(), request, turn).await {
                    tracing::warn!(?client, %error, "the token could not be renewed; the old one \
                        stays in use");
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
        let (began, asked_at) = (clock.elapsed(), clock.now());
        match client.client_credentials(&request).await {
            Ok(tokens) => {
                let held = CachedToken::new(&tokens, began, asked_at);
                self.held.store(Some(Arc::new(held)));
                *turn = FetchBackoff::default();
                Ok(tokens.access_token().clone())
            }
            Err(error) => {
                turn.note(&error, clock.elapsed());
                Err(error)
            }
        }
    }

    /// Drops a token that a resource server does not take. Whether another one can be had.
    pub(super) fn drop_refused(&self, token: &IssuedToken, now: Duration) -> bool {
        let mut drops = self.drops.lock().unwrap_or_else(PoisonError::into_inner);
        match self.held.load_full() {
            Some(held) if held.token == *token => {
                let may = drops.take(now);
                if may {
                    self.held.store(None);
                }
                may
            }
            // Somebody else has had it dropped.
            _ => true,
        }
    }
}

impl CachedToken {
    fn new(tokens: &TokenResponse, began: Duration, asked_at: NumericDate) -> Self {
        let token = tokens.access_token().clone();
        let life = token.expires_at().since(asked_at);
        let life = Duration::from_secs(u64::try_from(life).unwrap_or_default());
        let margin = MARGIN.min(life / 10);
        // Replicas that were started together do not come together: between 70 and 80 percent of
        // the life.
        let renew_at = began + life.mul_f64(0.7 + 0.1 * random::fraction());
        let whole_margin = i64::try_from(margin.as_secs()).unwrap_or_default();
        let unusable_from = token.expires_at().plus(-whole_margin);
        Self {
            token,
            renew_at,
            unusable_at: began + life - margin,
            unusable_from,
        }
    }

    fn is_good(&self, clock: &dyn Clock) -> bool {
        clock.elapsed() < self.unusable_at && clock.now() < self.unusable_from
    }
}

impl FetchBackoff {
    /// Why nobody should ask yet.
    fn in_force(&self, now: Duration) -> Option<Error> {
        self.error.clone().filter(|_| now < self.until)
    }

    fn note(&mut self, error: &Error, now: Duration) {
        let pause = SHORTEST_PAUSE
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.until = now + error.retry_after().unwrap_or_default().max(pause);
        self.error = Some(error.clone());
    }
}
