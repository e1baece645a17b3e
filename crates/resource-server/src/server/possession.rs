//! What doors and guards have to know about proofs, and about the profile that demands them.

use super::ResourceServer;
use crate::possession::DPOP_NONCE;
use http::{HeaderMap, HeaderValue};
use portcullis_core::proof::ProofTerms;
use portcullis_core::{EffectiveUrl, Outage, OutageCode, Requirement};
use std::time::Duration;

impl ResourceServer {
    /// The URL that a client asked for, if the settings name the public origin: for applications,
    /// which cannot know it from a connection.
    pub fn effective_url(&self, path: &str) -> Option<EffectiveUrl> {
        let origin = self.0.public_origin.as_ref()?;
        EffectiveUrl::new(origin.scheme(), &origin.authority(), path)
    }

    /// Tells a client the nonce for its next proof, if proofs need one: in a good answer to a
    /// request with a proof (RFC 9449, section 8.2). A refusal has it by itself.
    pub fn add_dpop_nonce(&self, answer: &mut HeaderMap) {
        if let Some(nonce) = self.0.possession.nonce(self.0.clock.now())
            && let Ok(nonce) = HeaderValue::try_from(nonce)
        {
            answer.insert(DPOP_NONCE, nonce);
        }
    }

    /// Whether a token may come among the subprotocols of a WebSocket: not where a profile of
    /// security takes tokens from `Authorization` only.
    pub fn accepts_offered_tokens(&self) -> bool {
        self.0.security_profile.is_none()
    }

    /// That the requirement of a guard is as strict as the profile of security.
    pub(super) fn check_guard(&self, requirement: &Requirement) -> Result<(), Outage> {
        // A fault of the program, not of the caller: refusing would send callers for a cure.
        if self.0.security_profile.is_some() && !requirement.demands_scope() {
            return Err(without_scope());
        }
        Ok(())
    }

    pub(crate) fn proof_terms(&self) -> &ProofTerms {
        self.0.possession.terms()
    }
}

/// A guard that lets in whoever has a token, where FAPI 2.0 wants the scope to be checked (section
/// 5.3.4). Guards are code: they are not known at the start.
fn without_scope() -> Outage {
    let facts = "`security_profile = \"fapi2\"`: the requirement of this route demands no scope";
    let outage = Outage::new(OutageCode::Policy, facts, Duration::from_secs(60));
    outage.with_cure(Some("name a scope in the requirement of the route"))
}
