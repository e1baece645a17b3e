//! How a server is: for readiness, logs and metrics.

use super::ResourceServer;
use crate::events;
use crate::introspection::IntrospectionStatus;
use crate::revocation::RevocationStatus;
use crate::token_cache::TokenCache;
use http::HeaderMap;
use portcullis_core::credential;
use portcullis_core::token::Issuer;
use portcullis_core::verify::Verifier;
use portcullis_provider::breaker::BreakerState;
use portcullis_provider::keys::KeyStatus;

impl ResourceServer {
    /// How many revocations there are, and how the store is: for readiness, logs and metrics.
    pub fn revocation_status(&self) -> RevocationStatus {
        self.0.revocations.status()
    }

    /// How asking the issuers about tokens goes, for each that is asked: for readiness, logs and
    /// metrics.
    pub fn introspection_status(&self) -> Vec<(Issuer, IntrospectionStatus)> {
        self.0.issuers.introspection_status()
    }

    /// How the keys of each issuer are: for readiness, logs and metrics.
    pub fn key_status(&self) -> Vec<(Issuer, KeyStatus)> {
        self.0.issuers.key_status()
    }

    /// Hands the figures that are states to the `metrics` recorder that is installed or local: for
    /// whoever serves metrics to call before a scrape. The counts are there without.
    pub fn record_gauges(&self) {
        metrics::with_recorder(|recorder| {
            events::TOKENS_REMEMBERED.set(recorder, &[], self.0.tokens.len() as f64);
            let now = self.0.clock.now().seconds() as f64;
            for (entry, status) in self.0.issuers.status_by_entry() {
                status.record(recorder, entry.as_str(), now);
            }
            for (issuer, status) in self.introspection_status() {
                let open = f64::from(u8::from(!matches!(status.breaker, BreakerState::Closed)));
                events::INTROSPECTION_PAUSED.set(recorder, &[issuer.as_str()], open);
            }
            self.revocation_status().record(recorder, now);
        });
    }

    /// Whether a request carries a token that is known to be good: one that was verified before, or
    /// that its issuer was asked about a short while ago. It spares the signature check, asks
    /// nobody, and decides nothing.
    pub fn knows_token(&self, headers: &HeaderMap) -> bool {
        let credential = credential::find_in(self.0.token_header.as_ref(), headers, None);
        credential.is_ok_and(|credential| {
            let digest = TokenCache::digest(credential.token());
            match self
                .0
                .issuers
                .asked_about(credential.token(), &self.0.limits)
            {
                Ok(Some((_, introspector))) => introspector.knows(&digest),
                Ok(None) => {
                    let known = self.0.tokens.find(&digest);
                    known.is_some_and(|known| {
                        Verifier::recheck(&known.token, self.0.clock.now()).is_ok()
                    })
                }
                Err(_) => false,
            }
        })
    }

    /// Whether there are keys of every issuer, the issuers that have to be asked about tokens say
    /// where, and the revocation store, if there is one, is heard from.
    pub fn is_ready(&self) -> bool {
        let issuers = &self.0.issuers;
        issuers.key_caches().all(|keys| keys.current().is_some())
            && issuers.know_where_to_ask()
            && self.0.revocations.is_ready()
    }

    /// Fetches the keys of every issuer now, one after the other.
    pub async fn refresh_keys(&self) {
        for keys in self.0.issuers.key_caches() {
            keys.refresh().await;
        }
    }
}
