//! What is remembered at any replica, in the Redis or Valkey that replicas share: one command for
//! each proof that was used or event that was taken, which sets a key that ends by itself.

use crate::revocation::StoreUrl;
use portcullis_core::jose::base64url;
use portcullis_core::proof::ProofId;
use portcullis_core::token::NumericDate;
use portcullis_core::{Outage, OutageCode};
use portcullis_provider::breaker::{Breaker, BreakerState};
use portcullis_provider::clock::Clock;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Value, cmd};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What the key of a proof begins with.
const PREFIX: &str = "portcullis:proof:";

/// How long a command may take: a request waits for it.
const ANSWER: Duration = Duration::from_millis(500);
const CONNECT: Duration = Duration::from_secs(1);

/// How far the clocks of replicas may be apart, in seconds.
const CLOCK_SKEW: i64 = 60;

/// How many bytes of the digest name a proof: finding a second one takes 2^64 signed attempts.
const ID_BYTES: usize = 16;

/// The memory that replicas share.
pub(crate) struct ExpiringKeys {
    /// What each key begins with.
    prefix: &'static str,
    client: Option<Client>,
    connection: Mutex<Option<MultiplexedConnection>>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
}

impl ExpiringKeys {
    /// A memory in this store. Connects when it is used.
    pub(super) fn new(url: &StoreUrl, clock: Arc<dyn Clock>) -> Self {
        Self::with_prefix(url, PREFIX, clock)
    }

    /// A memory of something else in this store.
    pub(crate) fn with_prefix(url: &StoreUrl, prefix: &'static str, clock: Arc<dyn Clock>) -> Self {
        if url.as_str().starts_with("rediss:") {
            // A program that chose its cryptography keeps it. Without a choice, a connection would
            // panic.
            _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        Self {
            prefix,
            // The URL was checked with the settings.
            client: Client::open(url.as_str()).ok(),
            connection: Mutex::default(),
            breaker: Breaker::default(),
            clock,
        }
    }

    /// Remembers a proof. Whether this was its first use at any replica.
    pub(crate) async fn is_first_use(
        &self,
        id: &ProofId,
        now: NumericDate,
    ) -> Result<bool, Outage> {
        self.ask(self.set(id, now)).await
    }

    /// Whether it is remembered at any replica. Nothing is changed.
    pub(crate) async fn holds(&self, id: &ProofId) -> Result<bool, Outage> {
        self.ask(self.exists(id)).await
    }

    async fn ask(
        &self,
        question: impl Future<Output = Result<bool, RedisError>>,
    ) -> Result<bool, Outage> {
        // While the store is away, nobody waits for it but one request now and then.
        let attempt = match self.breaker.attempt(self.clock.elapsed()) {
            Ok(attempt) => attempt,
            Err(wait) => return Err(self.away("it is not asked, because it failed", wait)),
        };
        match question.await {
            Ok(answer) => {
                attempt.succeed();
                Ok(answer)
            }
            Err(error) => {
                attempt.fail(self.clock.elapsed(), None);
                // It may be dead: the next request opens another one.
                *self.connection.lock().await = None;
                Err(self.away(&reason(&error), Duration::from_secs(1)))
            }
        }
    }

    /// Whether the store is not asked, because it failed.
    pub(super) fn is_paused(&self) -> bool {
        let state = self.breaker.state(self.clock.elapsed());
        !matches!(state, BreakerState::Closed)
    }

    async fn set(&self, id: &ProofId, now: NumericDate) -> Result<bool, RedisError> {
        let mut connection = self.connection().await?;
        // A replica whose clock is behind accepts the proof for longer than this one.
        let seconds = id.until.since(now).max(1) + CLOCK_SKEW;
        let mut set = cmd("SET");
        set.arg(self.key(id));
        set.arg(1).arg("NX").arg("EX").arg(seconds);
        // Nil where the key is there already.
        let answer: Value = set.query_async(&mut connection).await?;
        Ok(answer == Value::Okay)
    }

    /// Takes or keeps a turn under this name for so many seconds. Whether it is `owner`'s.
    pub(crate) async fn take_turn(
        &self,
        name: &str,
        owner: &str,
        seconds: u64,
    ) -> Result<bool, Outage> {
        self.ask(async {
            let mut connection = self.connection().await?;
            let key = format!("{}{name}", self.prefix);
            let set = |condition: &str| {
                let mut set = cmd("SET");
                set.arg(&key)
                    .arg(owner)
                    .arg(condition)
                    .arg("EX")
                    .arg(seconds);
                set
            };
            let taken: Value = set("NX").query_async(&mut connection).await?;
            if taken == Value::Okay {
                return Ok(true);
            }
            let holder: Option<String> = cmd("GET")
                .arg(&key)
                .query_async(&mut connection)
                .await?;
            if holder.as_deref() != Some(owner) {
                return Ok(false);
            }
            // It may end just now, and another may take it: two turns at once do no harm.
            let kept: Value = set("XX").query_async(&mut connection).await?;
            Ok(kept == Value::Okay)
        })
        .await
    }

    async fn exists(&self, id: &ProofId) -> Result<bool, RedisError> {
        let mut connection = self.connection().await?;
        let mut exists = cmd("EXISTS");
        exists
            .arg(self.key(id))
            .query_async(&mut connection)
            .await
    }

    fn key(&self, id: &ProofId) -> String {
        let name: Vec<u8> = id.digest.iter().copied().take(ID_BYTES).collect();
        format!("{}{}", self.prefix, base64url::encode(&name))
    }

    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        // Held while connecting, on purpose: one connection is enough.
        let mut held = self.connection.lock().await;
        if let Some(connection) = &*held {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let missing = || RedisError::from((redis::ErrorKind::InvalidClientConfig, "no client"));
        let client = self.client.as_ref().ok_or_else(missing)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        Ok(held.insert(connection.await?).clone())
    }

    fn away(&self, reason: &str, retry_after: Duration) -> Outage {
        let facts = match self.prefix {
            PREFIX => format!("the store of used proofs: {reason}"),
            _ => format!("the store that replicas share: {reason}"),
        };
        Outage::new(OutageCode::Replay, facts, retry_after)
    }
}

/// Category only: the details may quote what the store was sent.
fn reason(error: &RedisError) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        error.category().to_owned()
    }
}

impl fmt::Debug for ExpiringKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proofs that replicas share")
    }
}
