//! The trusted issuers: exact lookup by the whole identifier; nothing in a token can add one.

use crate::clock::Clock;
use crate::fetch::Fetch;
use crate::key_cache::{KeyCache, KeySettings, KeyStatus};
use crate::settings::{IssuerSettings, Tenants};
use crate::tenants::TenantIssuers;
use portcullis_core::Limits;
use portcullis_core::rejection::Rejection;
use portcullis_core::token::Issuer;
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
pub(crate) struct TrustedIssuers {
    /// Under every spelling that an issuer has.
    exact: HashMap<Box<str>, Arc<TrustedIssuer>>,
    /// Entries for many tenants of one provider.
    templates: Vec<TenantIssuers>,
}

impl TrustedIssuers {
    pub(crate) fn new(settings: Vec<IssuerSettings>, limits: Limits, clock: &Arc<dyn Clock>) -> Self {
        let fetch = Fetch::new(limits.document_bytes);
        let (mut exact, mut templates) = (HashMap::new(), Vec::new());
        for settings in settings {
            let keys = KeyCaches {
                settings: settings.clone(),
                limits,
                fetch: fetch.trusting(&settings.trust),
                clock: Arc::clone(clock),
            };
            if !matches!(settings.tenants, Tenants::One) {
                templates.push(TenantIssuers::new(settings, keys));
                continue;
            }
            let IssuerSettings { verifier, .. } = settings;
            let keys = keys.of(verifier.issuer());
            let issuer = Arc::new(TrustedIssuer { verifier: verifier.clone(), keys });
            let spellings = verifier.aliases().iter().map(String::as_str).chain([verifier.issuer().as_str()]);
            exact.extend(spellings.map(|spelling| (spelling.into(), Arc::clone(&issuer))));
        }
        Self { exact, templates }
    }

    /// The configured issuer that a token names, compared byte for byte, or the tenant of a configured template.
    pub(crate) fn trusted(&self, issuer: Option<&str>) -> Result<Arc<TrustedIssuer>, Rejection> {
        let named = issuer.ok_or_else(|| Rejection::of_issuer(None))?;
        if let Some(exact) = self.exact.get(named) {
            return Ok(Arc::clone(exact));
        }
        let tenant = self.templates.iter().find_map(|template| template.trusted(named));
        tenant.unwrap_or_else(|| Err(Rejection::of_issuer(issuer)))
    }

    /// Begins to fetch the keys that are known to be needed; those of single tenants begin with their first token.
    pub(crate) fn start(&self) {
        self.key_caches().for_each(|keys| keys.start());
    }

    /// The keys of every issuer, and those that tenants share.
    pub(crate) fn key_caches(&self) -> impl Iterator<Item = &Arc<KeyCache>> {
        let shared = self.templates.iter().filter_map(TenantIssuers::shared_keys);
        self.exactly_named().map(|issuer| &issuer.keys).chain(shared)
    }

    /// The issuers that are not templates, each once whatever its spellings.
    fn exactly_named(&self) -> impl Iterator<Item = &Arc<TrustedIssuer>> {
        let entries = self.exact.iter();
        entries
            .filter(|(name, issuer)| ***name == *issuer.verifier.issuer().as_str())
            .map(|(_, issuer)| issuer)
    }

    /// How the keys are, those of remembered tenants included.
    pub(crate) fn key_status(&self) -> Vec<(Issuer, KeyStatus)> {
        let known = self.key_caches().map(|keys| (keys.issuer().clone(), keys.status()));
        known.chain(self.templates.iter().flat_map(TenantIssuers::key_status)).collect()
    }

    /// What is expected of each entry's tokens: for explaining.
    pub(crate) fn verifiers(&self) -> impl Iterator<Item = &Verifier> {
        let exact = self.exactly_named().map(|issuer| &issuer.verifier);
        exact.chain(self.templates.iter().map(TenantIssuers::verifier))
    }
}

/// What it takes to keep the keys of one entry's issuers.
pub(crate) struct KeyCaches {
    settings: IssuerSettings,
    limits: Limits,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
}

impl KeyCaches {
    /// The keys of an issuer, empty at first.
    pub(crate) fn of(&self, issuer: &Issuer) -> Arc<KeyCache> {
        let snapshot = self.settings.snapshot.clone();
        let settings = KeySettings { snapshot, limits: self.limits, ..KeySettings::default() };
        KeyCache::new(
            issuer.clone(),
            self.settings.source.clone(),
            settings,
            self.fetch.clone(),
            Arc::clone(&self.clock),
        )
    }
}

impl fmt::Debug for TrustedIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.exact.keys())
            .entries(self.templates.iter().map(|template| template.verifier().issuer().as_str()))
            .finish()
    }
}
