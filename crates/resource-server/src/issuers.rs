//! The trusted issuers: an exact lookup. Nothing in a token can add one.

use crate::clock::Clock;
use crate::fetch::Fetch;
use crate::key_cache::{KeyCache, KeySettings};
use crate::settings::IssuerSettings;
use portcullis_core::Limits;
use portcullis_core::rejection::Rejection;
use portcullis_core::verify::Verifier;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A configured issuer: what its tokens must be like, and where its keys are.
pub(crate) struct TrustedIssuer {
    pub(crate) verifier: Verifier,
    pub(crate) keys: Arc<KeyCache>,
}

/// All configured issuers, each with its own keys: a `kid` is never looked up across them.
pub(crate) struct TrustedIssuers(HashMap<Box<str>, Arc<TrustedIssuer>>);

impl TrustedIssuers {
    pub(crate) fn new(settings: Vec<IssuerSettings>, limits: Limits, clock: &Arc<dyn Clock>) -> Self {
        let fetch = Fetch::new(limits.document_bytes);
        let trusted = settings.into_iter().map(|settings| {
            let issuer = settings.verifier.issuer().clone();
            let key_settings = KeySettings { snapshot: settings.snapshot, limits, ..KeySettings::default() };
            let keys = KeyCache::new(
                issuer.clone(),
                settings.source,
                key_settings,
                fetch.clone(),
                Arc::clone(clock),
            );
            (issuer.as_str().into(), Arc::new(TrustedIssuer { verifier: settings.verifier, keys }))
        });
        Self(trusted.collect())
    }

    /// The configured issuer that a token names, compared byte for byte.
    pub(crate) fn trusted(&self, issuer: Option<&str>) -> Result<&Arc<TrustedIssuer>, Rejection> {
        issuer.and_then(|issuer| self.0.get(issuer)).ok_or_else(|| Rejection::of_issuer(issuer))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<TrustedIssuer>> {
        self.0.values()
    }
}

impl fmt::Debug for TrustedIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
