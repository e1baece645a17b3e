//! Whether the caller has what its token is bound to: proofs of DPoP, and client certificates.
//!
//! The proof itself is checked by `core`; here is the memory of proofs that were used (RFC 9449,
//! section 11.1). A proof is remembered only after every other check of the token, so a forged one
//! uses none up.

mod memory;
mod meters;
mod settings;
#[cfg(feature = "redis")]
mod shared;

pub use settings::DpopConfig;
pub(crate) use settings::PossessionSettings;
#[cfg(feature = "redis")]
pub(crate) use shared::ExpiringKeys;

use crate::events;
use crate::resource_request::ResourceRequest;
use http::HeaderName;
pub(crate) use memory::UsedProofs;
use meters::ProofMeters;
use portcullis_core::credential::{Credential, Scheme};
use portcullis_core::proof::{self, Binding, Possession, Presentation, ProofId, ProofTerms};
use portcullis_core::rejection::{DpopOffer, Rejection};
use portcullis_core::token::{AccessToken, NumericDate, VerifiedToken};
use portcullis_core::verify::Verifier;
use portcullis_core::{Denial, Outage, OutageCode, Requirement};
use portcullis_provider::clock::Clock;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What proofs must meet, and which were used.
#[derive(Debug)]
pub(crate) struct PossessionChecks {
    terms: ProofTerms,
    used: Arc<UsedProofs>,
    meters: ProofMeters,
    #[cfg(feature = "redis")]
    shared: Option<ExpiringKeys>,
    #[cfg(feature = "redis")]
    serves_without_store: bool,
}

impl PossessionChecks {
    pub(crate) fn new(settings: PossessionSettings, clock: &Arc<dyn Clock>) -> Self {
        let used = Arc::new(UsedProofs::new(settings.remembered));
        Self::with_memory(settings, used, clock)
    }

    /// The checks of other settings. Proofs that were used stay used, unless the bound changed.
    pub(crate) fn succeeded_by(
        &self,
        settings: PossessionSettings,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        if self.used.capacity() != settings.remembered {
            return Self::new(settings, clock);
        }
        Self::with_memory(settings, Arc::clone(&self.used), clock)
    }

    fn with_memory(
        settings: PossessionSettings,
        used: Arc<UsedProofs>,
        #[cfg_attr(
            not(feature = "redis"),
            expect(unused_variables, reason = "for a store")
        )]
        clock: &Arc<dyn Clock>,
    ) -> Self {
        if settings.serves_without_store {
            tracing::warn!(
                "dpop.danger_serve_without_store: while the store is away, a proof may be used \
                    once at each replica"
            );
        }
        Self {
            terms: settings.terms,
            used,
            meters: ProofMeters::new(),
            #[cfg(feature = "redis")]
            shared: settings
                .store
                .map(|url| ExpiringKeys::new(&url, Arc::clone(clock))),
            #[cfg(feature = "redis")]
            serves_without_store: settings.serves_without_store,
        }
    }

    /// The token, if the request shows what it is bound to.
    pub(crate) async fn prove(
        &self,
        token: VerifiedToken,
        credential: Credential<'_>,
        request: &ResourceRequest<'_>,
        now: NumericDate,
    ) -> Result<AccessToken, Denial> {
        let is_proof = credential.scheme() == Scheme::Dpop;
        let result = self.check(token, credential, request, now).await;
        if is_proof {
            self.meters.count(&result);
        }
        result
    }

    async fn check(
        &self,
        token: VerifiedToken,
        credential: Credential<'_>,
        request: &ResourceRequest<'_>,
        now: NumericDate,
    ) -> Result<AccessToken, Denial> {
        let presentation = Presentation {
            method: request.method,
            url: request.url,
            certificate: request.certificate,
            ..Presentation::bearer(credential, request.headers)
        };
        let unused = match proof::prove(token, &presentation, &self.terms, now)? {
            Possession::Shown(token) => return Ok(token),
            Possession::Proven(proof) => proof,
        };
        let first = self.is_first_use(unused.id(), now).await?;
        Ok(unused.mark_used(first)?)
    }

    /// Whether nobody used the proof before, here or at another replica.
    async fn is_first_use(&self, id: &ProofId, now: NumericDate) -> Result<bool, Outage> {
        // Here first: a replay at the same replica needs no store.
        if !self.used.is_first_use(id, now).ok_or_else(full)? {
            return Ok(false);
        }
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            let first = shared.is_first_use(id, now).await;
            if first.is_err() && self.serves_without_store {
                self.meters.unshared.increment(1);
                return Ok(true);
            }
            return first;
        }
        Ok(true)
    }

    /// The refusal, with what the challenge says about proofs where they matter: to a caller who
    /// used DPoP or should have, and on a route that demands it.
    pub(crate) fn offer(
        &self,
        rejection: Rejection,
        tried: Option<Scheme>,
        requirement: &Requirement,
        now: NumericDate,
    ) -> Rejection {
        let demanded = requirement.binding().or(rejection.demanded_binding());
        let should_have = rejection.dpop().is_some();
        let is_demanded = demanded.is_some_and(Binding::allows_dpop);
        let tried_dpop = tried == Some(Scheme::Dpop);
        if !(tried_dpop || should_have || is_demanded) {
            return rejection;
        }
        let allows_bearer = demanded.is_none_or(Binding::allows_bearer);
        let bearer_first = allows_bearer && !tried_dpop && !should_have;
        let scheme = if bearer_first {
            Scheme::Bearer
        } else {
            Scheme::Dpop
        };
        rejection.offering(DpopOffer {
            scheme,
            allows_bearer,
            ..self.terms.offer(now)
        })
    }

    /// The nonce for the next proof of a caller, if proofs need one.
    pub(crate) fn nonce(&self, now: NumericDate) -> Option<String> {
        let nonces = self.terms.nonces.as_ref()?;
        Some(nonces.current(now))
    }

    /// What proofs must meet.
    pub(crate) fn terms(&self) -> &ProofTerms {
        &self.terms
    }

    /// Records how many proofs are remembered, and whether the store is asked.
    pub(crate) fn record(&self, recorder: &dyn metrics::Recorder) {
        events::PROOFS_REMEMBERED.set(recorder, &[], self.used.len() as f64);
        events::PROOFS_ROOM.set(recorder, &[], self.used.capacity() as f64);
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            let paused = f64::from(u8::from(shared.is_paused()));
            events::PROOF_STORE_PAUSED.set(recorder, &[], paused);
        }
    }
}

/// Letting a proof pass that cannot be remembered would let it pass twice.
fn full() -> Outage {
    let facts = "as many proofs are remembered as `dpop.remembered` allows";
    Outage::new(OutageCode::Replay, facts, Duration::from_secs(1))
}

/// Whether a token that was verified before needs nothing beside it, and is not over.
pub(crate) fn is_good_alone(token: &VerifiedToken, now: NumericDate) -> bool {
    // Whoever steals a bound token has no proof, and each one that is made up costs a signature.
    !token.is_bound() && Verifier::recheck(token, now).is_ok()
}
