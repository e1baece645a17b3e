//! Opaque tokens: their issuer is asked about them (RFC 7662), and its answers are remembered for a
//! short while.
//!
//! One question at a time for each token; an answer is good until the token ends, and a minute at
//! most; "not active" is good for five seconds, so that junk asks once. A breaker spares an
//! endpoint that fails. Whatever is not a proper answer is an outage: it is never taken for "not
//! active", and never remembered.
//!
//! Each configured issuer has its own memory, under the SHA-256 of the token, with the settings
//! fixed for its life: what one issuer said counts for no other. Does not check claims itself: the
//! answer goes through the one check table, and its times again at every use.

mod request;
pub(crate) mod settings;

pub(crate) use settings::{Asked, IntrospectionSettings};

use crate::events::{self, IntrospectionMeters};
use crate::path_watch::PathWatch;
use crate::token_cache::Digest;
use portcullis_core::rejection::Rejection;
use portcullis_core::token::introspection::Answer;
use portcullis_core::token::{AccessToken, Claims, NumericDate, OpaqueToken};
use portcullis_core::verify::Verifier;
use portcullis_core::{Denial, Limits, Outage, OutageCode};
use portcullis_provider::answer_cache::AnswerCache;
use portcullis_provider::breaker::{Breaker, BreakerState};
use portcullis_provider::clock::Clock;
use portcullis_provider::fetch::Fetch;
use portcullis_provider::keys::KeyCache;
use request::{Endpoint, Unanswered};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::Instrument as _;

/// Asks one issuer about tokens, and remembers what it says.
pub(crate) struct Introspector {
    endpoint: Endpoint,
    verifier: Verifier,
    asked: Asked,
    cap: Duration,
    answers: AnswerCache<Digest, Verdict>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
    questions: AtomicU64,
    remembered: AtomicU64,
    last_failure: Mutex<Option<String>>,
    meters: IntrospectionMeters,
    paths: PathWatch,
}

/// What became of a question.
#[derive(Clone)]
enum Verdict {
    /// The token is active, and this is what it says.
    Active(AccessToken),
    /// The issuer confirms a token that it signed; how long, if it says so.
    Confirmed(Option<NumericDate>),
    Refused(Rejection),
    Outage(Outage),
}

/// How asking an issuer about tokens goes: for readiness, logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntrospectionStatus {
    /// How many questions went out.
    pub questions: u64,
    /// How many requests were answered from memory, or by a question that was under way.
    pub remembered: u64,
    /// Whether the issuer is asked at the moment.
    pub breaker: BreakerState,
    /// Why the last question had no proper answer, if it had none.
    pub last_failure: Option<String>,
}

/// How long an answer is good that does not say when the token ends, and one that refuses it.
const SHORT: Duration = Duration::from_secs(5);
/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many answers are remembered for one issuer.
const REMEMBERED: usize = 10_000;

impl Introspector {
    pub(crate) fn new(
        settings: &IntrospectionSettings,
        verifier: Verifier,
        fetch: Fetch,
        keys: Arc<KeyCache>,
        limits: Limits,
        clock: Arc<dyn Clock>,
        meters: IntrospectionMeters,
    ) -> Self {
        Self {
            endpoint: Endpoint::new(settings, fetch, keys, limits, Arc::clone(&clock)),
            verifier,
            asked: settings.asked.clone(),
            cap: settings.cap,
            answers: AnswerCache::new(REMEMBERED, Arc::clone(&clock)),
            breaker: Breaker::default(),
            clock,
            questions: AtomicU64::new(0),
            remembered: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            meters,
            paths: PathWatch::default(),
        }
    }

    /// How opaque tokens of this issuer begin, where that is known.
    pub(crate) fn prefix(&self) -> Option<&str> {
        self.asked.prefix.as_deref()
    }

    /// Whether nothing says where to ask: neither the settings nor the metadata, which is known.
    pub(crate) fn lacks_endpoint(&self) -> bool {
        self.endpoint.is_nowhere()
    }

    /// What is expected of the tokens.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Verifies an opaque token by what its issuer says about it.
    pub(crate) async fn verify(
        &self,
        token: OpaqueToken<'_>,
        digest: &Digest,
    ) -> Result<AccessToken, Denial> {
        let judge = |claims, now| {
            let token = self.verifier.verify_answer(claims, now)?;
            self.paths.look(&self.verifier, token.claims());
            Ok(Verdict::Active(token))
        };
        match self.verdict(token.as_str(), digest, judge).await {
            Verdict::Active(token) => {
                // Time went on since it was remembered.
                let rechecked = Verifier::recheck(&token, self.clock.now());
                rechecked.map(|()| token).map_err(|rejection| {
                    self.answers.forget(digest);
                    rejection.into()
                })
            }
            Verdict::Refused(rejection) => Err(rejection.into()),
            Verdict::Outage(outage) => Err(outage.into()),
            Verdict::Confirmed(_) => Err(self.outage("an answer of another kind").into()),
        }
    }

    /// Whether an opaque token is remembered as a good one. Nobody is asked.
    pub(crate) fn knows(&self, digest: &Digest) -> bool {
        match self.answers.find(digest) {
            Some(Verdict::Active(token)) => Verifier::recheck(&token, self.clock.now()).is_ok(),
            _ => false,
        }
    }

    /// Hears from the issuer that a token which it signed is still active, where such tokens are
    /// asked about.
    pub(crate) async fn confirm(&self, token: &str, digest: &Digest) -> Result<(), Denial> {
        if !self.asked.jwts_too {
            return Ok(());
        }
        let judge = |claims: Claims, now| {
            self.verifier
                .confirm(&claims, now)
                .map(|()| Verdict::Confirmed(claims.expires()))
        };
        match self.verdict(token, digest, judge).await {
            Verdict::Confirmed(_) | Verdict::Active(_) => Ok(()),
            Verdict::Refused(rejection) => Err(rejection.into()),
            Verdict::Outage(outage) => Err(outage.into()),
        }
    }

    /// Whether tokens that the issuer signed are asked about as well.
    pub(crate) fn confirms_jwts(&self) -> bool {
        self.asked.jwts_too
    }

    /// Asks now, whatever is remembered: for explaining.
    pub(crate) async fn answer(&self, token: &str) -> Result<Answer, Outage> {
        let now = self.clock.elapsed();
        let attempt = self.breaker.attempt(now).map_err(|wait| {
            let last = self.last_failure().unwrap_or_default();
            let facts = format!("the issuer is not asked for a while, because it failed: {last}");
            Outage::new(OutageCode::Introspection, facts, wait)
        })?;
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.meters.asked.increment(1);
        let span = tracing::debug_span!(events::INTROSPECT, issuer = %self.verifier.issuer());
        let answered = tokio::select! {
            answered = self.endpoint.ask(token).instrument(span) => answered,
            () = self.clock.sleep(PATIENCE) => Err(Unanswered::of(
                "the answer did not come in time".to_owned()
            )),
        };
        match answered {
            Ok(answer) => {
                attempt.succeed();
                self.note(None);
                Ok(answer)
            }
            Err(unanswered) => {
                self.meters.failed.increment(1);
                let Unanswered {
                    code,
                    reason,
                    endpoint_fails,
                    retry_after,
                } = unanswered;
                if endpoint_fails {
                    attempt.fail(self.clock.elapsed(), retry_after);
                }
                tracing::warn!(issuer = %self.verifier.issuer(), reason, "no answer about a token");
                self.note(Some(reason.clone()));
                Err(Outage::new(code, reason, retry_after.unwrap_or_default()))
            }
        }
    }

    pub(crate) fn status(&self) -> IntrospectionStatus {
        IntrospectionStatus {
            questions: self.questions.load(Ordering::Relaxed),
            remembered: self.remembered.load(Ordering::Relaxed),
            breaker: self.breaker.state(self.clock.elapsed()),
            last_failure: self.last_failure(),
        }
    }

    /// The remembered verdict, or a new one.
    async fn verdict(
        &self,
        token: &str,
        digest: &Digest,
        judge: impl FnOnce(Claims, NumericDate) -> Result<Verdict, Rejection>,
    ) -> Verdict {
        let ask = async {
            let verdict = match self.answer(token).await {
                Err(outage) => Verdict::Outage(outage),
                Ok(answer) => answer
                    .into_claims()
                    .and_then(|claims| judge(claims, self.clock.now()))
                    .unwrap_or_else(Verdict::Refused),
            };
            let lasting = self.lasting(&verdict);
            (verdict, lasting)
        };
        let found = self.answers.find_or(digest, ask).await;
        if !found.asked {
            self.remembered.fetch_add(1, Ordering::Relaxed);
            self.meters.remembered.increment(1);
        }
        found.value
    }

    /// How long a verdict is good.
    fn lasting(&self, verdict: &Verdict) -> Duration {
        let expires = match verdict {
            Verdict::Active(token) => token.expires(),
            Verdict::Confirmed(expires) => *expires,
            Verdict::Refused(_) => return SHORT,
            Verdict::Outage(_) => return Duration::ZERO,
        };
        let left = expires.map_or(SHORT, |expires| {
            u64::try_from(expires.since(self.clock.now()))
                .map_or(Duration::ZERO, Duration::from_secs)
        });
        left.min(self.cap)
    }

    fn outage(&self, facts: &'static str) -> Outage {
        Outage::new(OutageCode::Introspection, facts, Duration::ZERO)
    }

    fn note(&self, failure: Option<String>) {
        *self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn last_failure(&self) -> Option<String> {
        self.last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
