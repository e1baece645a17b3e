//! Opaque tokens: their issuer is asked about them (RFC 7662), and its answers are remembered for a
//! short while.
//!
//! There is one request at a time for each token. An answer is good until the token ends, and a
//! minute at most; "not active" is good for five seconds, so that an invalid token causes one
//! request. A breaker spares an endpoint that fails. Anything but a proper answer is an outage: it
//! is never taken for "not active", and never remembered.
//!
//! Each configured issuer has its own memory, under the SHA-256 of the token, with the settings
//! fixed for its life: an answer of one issuer counts for no other. Does not check claims itself:
//! the answer goes through the one check table, and its times again at every use.

mod endpoint;
mod settings;
mod status;

pub(crate) use settings::{AskedTokens, IntrospectionSettings};
pub use status::IntrospectionStatus;

use crate::client_endpoint::{IssuerAccess, ProbeFault};
use crate::events::{self, IntrospectionMeters};
use crate::path_watch::PathWatch;
use crate::possession::is_good_alone;
use crate::token_digest::TokenDigest;
use endpoint::{IntrospectionEndpoint, IntrospectionFault};
use portcullis_core::rejection::Rejection;
use portcullis_core::token::introspection::Answer;
use portcullis_core::token::{Claims, NumericDate, OpaqueToken, VerifiedToken};
use portcullis_core::verify::Verifier;
use portcullis_core::{Denial, Outage, OutageCode};
use portcullis_provider::answer_cache::AnswerCache;
use portcullis_provider::breaker::{Breaker, BreakerState};
use portcullis_provider::clock::{Clock, wait_within};
use portcullis_provider::failure_log::{FailureLog, FailureNotice};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::Instrument as _;

/// Asks one issuer about tokens, and remembers its answers.
pub(crate) struct Introspector {
    endpoint: IntrospectionEndpoint,
    verifier: Verifier,
    asked: AskedTokens,
    cap: Duration,
    answers: AnswerCache<TokenDigest, IntrospectionVerdict>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
    questions: AtomicU64,
    remembered: AtomicU64,
    last_failure: Mutex<Option<String>>,
    log: FailureLog,
    meters: IntrospectionMeters,
    paths: PathWatch,
}

/// The result of asking about a token.
#[derive(Clone)]
enum IntrospectionVerdict {
    /// The token is active, and these are its claims.
    Active(VerifiedToken),
    /// The issuer confirms a token that it signed; until when, if it says so.
    Confirmed(Option<NumericDate>),
    Refused(Rejection),
    Outage(Outage),
}

/// How long an answer is good that does not say when the token ends, and one that refuses it.
const SHORT: Duration = Duration::from_secs(5);
/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long nothing must have failed before a failing endpoint counts as well again.
const CALM: Duration = Duration::from_secs(10);
/// How many answers are remembered for one issuer.
const REMEMBERED: usize = 10_000;

impl Introspector {
    pub(crate) fn new(
        settings: &IntrospectionSettings,
        verifier: Verifier,
        access: IssuerAccess,
        meters: IntrospectionMeters,
    ) -> Self {
        let clock = Arc::clone(&access.egress.clock);
        Self {
            endpoint: IntrospectionEndpoint::new(settings, access),
            verifier,
            asked: settings.asked.clone(),
            cap: settings.cap,
            answers: AnswerCache::new(REMEMBERED, Arc::clone(&clock)),
            breaker: Breaker::default(),
            clock,
            questions: AtomicU64::new(0),
            remembered: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            log: FailureLog::with_calm(CALM),
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

    /// The checks that the tokens must pass.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Verifies an opaque token by its issuer's answer.
    pub(crate) async fn verify(
        &self,
        token: OpaqueToken<'_>,
        digest: &TokenDigest,
    ) -> Result<VerifiedToken, Denial> {
        let judge = |claims, now| {
            let token = self.verifier.verify_answer(claims, now)?;
            self.paths.look(&self.verifier, token.claims());
            Ok(IntrospectionVerdict::Active(token))
        };
        match self.verdict(token.as_str(), digest, judge).await {
            IntrospectionVerdict::Active(token) => {
                // Time went on since it was remembered.
                if let Err(rejection) = Verifier::recheck(&token, self.clock.now()) {
                    self.answers.forget(digest);
                    return Err(rejection.into());
                }
                Ok(token)
            }
            IntrospectionVerdict::Refused(rejection) => Err(rejection.into()),
            IntrospectionVerdict::Outage(outage) => Err(self.deny(outage).into()),
            // A digest is of an opaque token or of a JWT, never of both.
            IntrospectionVerdict::Confirmed(_) => {
                let facts = "an answer of another kind";
                Err(Outage::new(OutageCode::Introspection, facts, Duration::ZERO).into())
            }
        }
    }

    /// Whether an opaque token is remembered as a good one. Nobody is asked.
    pub(crate) fn knows(&self, digest: &TokenDigest) -> bool {
        match self.answers.find(digest) {
            Some(IntrospectionVerdict::Active(token)) => is_good_alone(&token, self.clock.now()),
            _ => false,
        }
    }

    /// Asks whether a token that the issuer signed is still active, where the settings say that
    /// such tokens are asked about.
    pub(crate) async fn confirm(&self, token: &str, digest: &TokenDigest) -> Result<(), Denial> {
        if !self.asked.jwts_too {
            return Ok(());
        }
        let judge = |claims: Claims, now| {
            self.verifier.confirm(&claims, now)?;
            Ok(IntrospectionVerdict::Confirmed(claims.expires()))
        };
        match self.verdict(token, digest, judge).await {
            IntrospectionVerdict::Confirmed(_) | IntrospectionVerdict::Active(_) => Ok(()),
            IntrospectionVerdict::Refused(rejection) => Err(rejection.into()),
            IntrospectionVerdict::Outage(outage) => Err(self.deny(outage).into()),
        }
    }

    /// Whether tokens that the issuer signed are asked about as well.
    pub(crate) fn confirms_jwts(&self) -> bool {
        self.asked.jwts_too
    }

    /// Asks now, without the memory: for explaining.
    pub(crate) async fn answer(&self, token: &str) -> Result<Answer, Outage> {
        let attempt = match self.breaker.attempt(self.clock.elapsed()) {
            Ok(attempt) => attempt,
            Err(wait) => return Err(self.pause(wait)),
        };
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.meters.asked.increment(1);
        let span = tracing::debug_span!(events::INTROSPECT, issuer = %self.verifier.issuer());
        // A caller is not kept waiting as long as the HTTP client is ready to wait.
        let asking = pin!(self.endpoint.ask(token).instrument(span));
        let answer = wait_within(asking, self.clock.sleep(PATIENCE)).await;
        let late = || IntrospectionFault::of("the answer did not come in time".to_owned());
        match answer.unwrap_or_else(|| Err(late())) {
            Ok(answer) => {
                attempt.succeed();
                *self.failure() = None;
                self.log_recovery();
                Ok(answer)
            }
            Err(fault) => {
                // Dropping the attempt otherwise: a fault of ours says nothing about the endpoint.
                if fault.endpoint_fails {
                    attempt.fail(self.clock.elapsed(), fault.retry_after);
                }
                Err(self.outage(fault))
            }
        }
    }

    /// Asks about a text that is no token, without memory and breaker: whether the answer is the
    /// proper one, "not active".
    pub(crate) async fn probe(&self, text: &str) -> Result<bool, ProbeFault> {
        match self.endpoint.ask(text).await {
            Ok(answer) => Ok(answer.into_claims().is_err()),
            Err(fault) => Err(ProbeFault {
                reason: fault.reason,
                refuses_client: fault.refuses_client,
            }),
        }
    }

    /// The client that asks.
    pub(crate) fn client(&self) -> &str {
        self.endpoint.client()
    }

    /// The state of the requests to this issuer.
    pub(crate) fn status(&self) -> IntrospectionStatus {
        IntrospectionStatus {
            questions: self.questions.load(Ordering::Relaxed),
            remembered: self.remembered.load(Ordering::Relaxed),
            breaker: self.breaker.state(self.clock.elapsed()),
            last_failure: self.failure().clone(),
        }
    }

    /// The remembered verdict, or a new one.
    async fn verdict(
        &self,
        token: &str,
        digest: &TokenDigest,
        judge: impl FnOnce(Claims, NumericDate) -> Result<IntrospectionVerdict, Rejection>,
    ) -> IntrospectionVerdict {
        let ask = async {
            let verdict = match self.answer(token).await {
                Err(outage) => IntrospectionVerdict::Outage(outage),
                Ok(answer) => match answer.into_claims() {
                    Ok(claims) => judge(claims, self.clock.now())
                        .unwrap_or_else(IntrospectionVerdict::Refused),
                    Err(rejection) => IntrospectionVerdict::Refused(rejection),
                },
            };
            let lasting = self.lasting(&verdict);
            (verdict, lasting)
        };
        // Requests with the same token share one question, whoever sends them.
        let lookup = self.answers.find_or(digest, ask).await;
        if !lookup.asked {
            self.remembered.fetch_add(1, Ordering::Relaxed);
            self.meters.remembered.increment(1);
        }
        lookup.value
    }

    /// How long a verdict is good.
    fn lasting(&self, verdict: &IntrospectionVerdict) -> Duration {
        let expires = match verdict {
            IntrospectionVerdict::Active(token) => token.claims().expires(),
            IntrospectionVerdict::Confirmed(expires) => *expires,
            IntrospectionVerdict::Refused(_) => return SHORT,
            // Never remembered: the next caller asks again, as soon as the breaker lets it.
            IntrospectionVerdict::Outage(_) => return Duration::ZERO,
        };
        let Some(expires) = expires else {
            return SHORT.min(self.cap);
        };
        // A token that ended within the leeway has no time left: its answer serves this caller.
        match u64::try_from(expires.since(self.clock.now())) {
            Ok(left) => Duration::from_secs(left).min(self.cap),
            Err(_) => Duration::ZERO,
        }
    }

    /// Counts, logs and remembers why there is no answer.
    fn outage(&self, fault: IntrospectionFault) -> Outage {
        self.meters.failed.increment(1);
        let IntrospectionFault {
            code,
            reason,
            retry_after,
            ..
        } = fault;
        let now = self.clock.elapsed();
        self.log_failure(self.log.fail(now), &reason);
        *self.failure() = Some(reason.clone());
        // What the breaker knows is when the next request is let through.
        let wait = match (retry_after, self.breaker.state(now)) {
            (Some(wait), _) | (None, BreakerState::Open(wait)) => wait,
            _ => Duration::ZERO,
        };
        Outage::new(code, reason, wait).mark_logged()
    }

    /// Counts a request without a decision.
    fn deny(&self, outage: Outage) -> Outage {
        let notice = self.log.deny(self.clock.elapsed());
        self.log_failure(notice, outage.facts());
        outage
    }

    /// Logs the first failure, and now and then that it goes on.
    fn log_failure(&self, notice: FailureNotice, reason: &str) {
        let issuer = self.verifier.issuer();
        match notice {
            FailureNotice::First => tracing::warn!(%issuer, reason, "no answer about a token"),
            FailureNotice::Again(toll) => tracing::warn!(
                %issuer,
                reason,
                failures = toll.failures,
                denied = toll.denied,
                "still no answers about tokens after {toll}",
            ),
            FailureNotice::Known => tracing::debug!(%issuer, reason, "no answer about a token"),
        }
    }

    fn log_recovery(&self) {
        if let Some(toll) = self.log.succeed(self.clock.elapsed()) {
            tracing::info!(
                issuer = %self.verifier.issuer(),
                failures = toll.failures,
                denied = toll.denied,
                "introspection: answers again after {toll}, requests answered 503: {}",
                toll.denied,
            );
        }
    }

    /// The outage while the breaker is open.
    fn pause(&self, wait: Duration) -> Outage {
        let last = self.failure().clone().unwrap_or_default();
        let facts = format!("the issuer is not asked for a while, because it failed: {last}");
        Outage::new(OutageCode::Introspection, facts, wait).mark_logged()
    }

    fn failure(&self) -> MutexGuard<'_, Option<String>> {
        self.last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
