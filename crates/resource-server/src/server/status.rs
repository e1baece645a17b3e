//! The state of a server: for readiness, logs and metrics.

use super::ResourceServer;
use crate::events;
use crate::introspection::IntrospectionStatus;
use crate::possession::is_good_alone;
use crate::revocation::RevocationStatus;
use crate::token_digest::token_digest;
use http::HeaderMap;
use portcullis_core::Outage;
use portcullis_core::token::Issuer;
use portcullis_provider::breaker::BreakerState;
use portcullis_provider::keys::KeyStatus;
use portcullis_provider::metadata::Metadata;
use std::fmt;

/// The state of a server: for readiness, logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStatus {
    /// The keys of each issuer, and of each remembered tenant that has keys of its own.
    pub keys: Vec<(Issuer, KeyStatus)>,
    /// The requests about tokens, for each issuer that is asked.
    pub introspection: Vec<(Issuer, IntrospectionStatus)>,
    /// The denylist, and the store that replicas share.
    pub revocation: RevocationStatus,
}

/// Something that a server needs and does not have yet. Until it has, requests that depend on it
/// get 503.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MissingPart {
    /// The keys of an issuer.
    Keys(Issuer),
    /// Where an issuer is asked about tokens: neither the settings nor its metadata say.
    IntrospectionEndpoint(Issuer),
    /// A word from the revocation store.
    RevocationStore,
}

impl MissingPart {
    /// The word for it in JSON: `keys`, `introspection_endpoint`, `revocation_store`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Keys(_) => "keys",
            Self::IntrospectionEndpoint(_) => "introspection_endpoint",
            Self::RevocationStore => "revocation_store",
        }
    }

    /// The issuer that it is of.
    pub fn issuer(&self) -> Option<&Issuer> {
        match self {
            Self::Keys(issuer) | Self::IntrospectionEndpoint(issuer) => Some(issuer),
            Self::RevocationStore => None,
        }
    }
}

impl fmt::Display for MissingPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(issuer) => write!(f, "the keys of {issuer}"),
            Self::IntrospectionEndpoint(issuer) => {
                write!(f, "the introspection endpoint of {issuer}")
            }
            Self::RevocationStore => f.write_str("the revocation store"),
        }
    }
}

impl ResourceServer {
    /// The state of this server at this moment. Nothing is fetched, and nobody waits.
    ///
    /// ```
    /// # fn main() -> Result<(), portcullis_core::ConfigErrors> {
    /// use portcullis_resource_server::ResourceServer;
    ///
    /// let server = ResourceServer::new("https://idp.example", "https://api.example")?;
    /// for (issuer, keys) in server.status().keys {
    ///     // Nothing was fetched yet, so the issuer's tokens get 503 for now.
    ///     assert_eq!((issuer.as_str(), keys.keys), ("https://idp.example", 0));
    /// }
    /// assert!(!server.is_ready());
    /// # Ok(())
    /// # }
    /// ```
    pub fn status(&self) -> ServerStatus {
        ServerStatus {
            keys: self.0.issuers.key_status(),
            introspection: self.0.issuers.introspection_status(),
            revocation: self.0.revocations.status(),
        }
    }

    /// The metadata of each issuer: at once where they are known, else as soon as they are fetched.
    /// An issuer whose keys are fixed has none.
    ///
    /// # Errors
    ///
    /// The outage of each issuer whose metadata cannot be had.
    pub async fn metadata(&self) -> Vec<(Issuer, Result<Metadata, Outage>)> {
        let mut found = Vec::new();
        for keys in self.0.issuers.key_caches() {
            let metadata = keys.metadata().await;
            found.push((
                keys.issuer().clone(),
                metadata.map(|(metadata, _)| metadata),
            ));
        }
        found
    }

    /// Records the gauges at the `metrics` recorder that is installed or local: call it before a
    /// scrape. Counters are recorded without it.
    pub fn record_gauges(&self) {
        metrics::with_recorder(|recorder| {
            events::TOKENS_REMEMBERED.set(recorder, &[], self.0.tokens.len() as f64);
            self.0.possession.record(recorder);
            let now = self.0.clock.now().seconds() as f64;
            // By entry, not by issuer: tokens must not choose the labels.
            for (entry, status) in self.0.issuers.status_by_entry() {
                status.record(recorder, entry.as_str(), now);
            }
            for (issuer, status) in self.0.issuers.introspection_status() {
                let open = f64::from(u8::from(!matches!(status.breaker, BreakerState::Closed)));
                events::INTROSPECTION_PAUSED.set(recorder, &[issuer.as_str()], open);
            }
            self.0.revocations.status().record(recorder, now);
            self.0.receivers.record(recorder, self.0.clock.now());
        });
    }

    /// Whether a request carries a token that is known to be good: one that was verified before, or
    /// that its issuer was asked about a short while ago. It spares the signature check, asks
    /// nobody, and decides nothing. A bound token is not known to be good: its proof is new each
    /// time.
    pub fn knows_token(&self, headers: &HeaderMap) -> bool {
        let Ok(credential) = self.find_credential(headers, None) else {
            return false;
        };
        let text = credential.token();
        let digest = token_digest(text);
        match self.0.issuers.find_introspector(text, &self.0.limits) {
            Ok(Some((_, introspector))) => introspector.knows(&digest),
            Ok(None) => match self.0.tokens.find(&digest) {
                Some(known) => is_good_alone(&known.token, self.0.clock.now()),
                None => false,
            },
            Err(_) => false,
        }
    }

    /// Whether the server can decide: there are keys of every issuer, the issuers that have to be
    /// asked about tokens say where, and the revocation store, if there is one, is heard from.
    pub fn is_ready(&self) -> bool {
        self.missing_parts().is_empty()
    }

    /// What the server lacks to [decide](Self::is_ready), in a fixed order.
    pub fn missing_parts(&self) -> Vec<MissingPart> {
        let issuers = &self.0.issuers;
        let mut missing = Vec::new();
        // Keys of single tenants do not count: their first token brings them.
        for keys in issuers
            .key_caches()
            .filter(|it| it.current().is_none())
        {
            missing.push(MissingPart::Keys(keys.issuer().clone()));
        }
        for issuer in issuers.without_introspection_endpoint() {
            missing.push(MissingPart::IntrospectionEndpoint(issuer.clone()));
        }
        if !self.0.revocations.is_ready() {
            missing.push(MissingPart::RevocationStore);
        }
        // The issuers stand in a map, which has no order.
        missing.sort();
        missing
    }

    /// Fetches the keys of every issuer now, one after the other.
    pub async fn refresh_keys(&self) {
        for keys in self.0.issuers.key_caches() {
            keys.refresh().await;
        }
    }
}
