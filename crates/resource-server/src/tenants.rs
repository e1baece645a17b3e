//! One entry for many tenants of a provider: `{tenantid}` in its URL stands for each of them.
//!
//! A tenant is accepted if it is on the list (or all are, behind `danger_any_tenant`). What is
//! remembered of tenants is bounded, and only accepted ones are remembered. Refuses: tenants that
//! are not on the list, and texts that cannot be a tenant. Whether the token's own claim names the
//! same tenant, and whether its key is that tenant's, is for the check table.

use crate::issuers::{Entry, TrustedIssuer};
use crate::settings::{IssuerSettings, Tenants, is_tenant};
use portcullis_core::dialect::TENANT;
use portcullis_core::rejection::Rejection;
use portcullis_core::token::Issuer;
use portcullis_core::verify::Verifier;
use portcullis_provider::keys::KeySource;
use portcullis_provider::keys::{KeyCache, KeyStatus};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// The issuers of one template.
pub(crate) struct TenantIssuers {
    before: Box<str>,
    after: Box<str>,
    verifier: Verifier,
    tenants: Tenants,
    entry: Entry,
    /// None where each tenant has its own.
    shared: Option<Arc<KeyCache>>,
    remembered: Cache<String, Arc<TrustedIssuer>>,
}

impl TenantIssuers {
    pub(crate) fn new(settings: IssuerSettings, entry: Entry) -> Self {
        let template = settings.verifier.issuer().as_str();
        let (before, after) = template.split_once(TENANT).unwrap_or((template, ""));
        let (before, after) = (before.into(), after.into());
        let shared = match settings.source {
            KeySource::Discovered => None,
            _ => Some(entry.keys_of(settings.verifier.issuer())),
        };
        let remembered = Cache::new(settings.remembered_tenants);
        Self {
            before,
            after,
            verifier: settings.verifier,
            tenants: settings.tenants,
            entry,
            shared,
            remembered,
        }
    }

    /// The issuer that a token names, if it is of this template: a tenant of ours, or a refusal.
    pub(crate) fn trusted(&self, issuer: &str) -> Option<Result<Arc<TrustedIssuer>, Rejection>> {
        let tenant = issuer
            .strip_prefix(&*self.before)?
            .strip_suffix(&*self.after)?;
        let dialect = self.verifier.profile().dialect;
        let accepted = match &self.tenants {
            Tenants::One => false,
            Tenants::Listed(tenants) => tenants.contains(tenant),
            Tenants::Any => is_tenant(tenant, dialect.tenant_is_guid),
        };
        if !accepted {
            return Some(Err(Rejection::of_tenant(tenant)));
        }
        if let Some(known) = self.remembered.get(tenant) {
            return Some(Ok(known));
        }
        let verifier = self
            .verifier
            .for_tenant(tenant)
            .map_err(|_| Rejection::of_tenant(tenant));
        Some(verifier.map(|verifier| self.remember(tenant, verifier)))
    }

    fn remember(&self, tenant: &str, verifier: Verifier) -> Arc<TrustedIssuer> {
        let own = || self.entry.keys_of(verifier.issuer());
        let keys = self.shared.as_ref().map_or_else(own, Arc::clone);
        let issuer = Arc::new(self.entry.issuer(verifier, keys));
        // Of two that come at once the first stays: a tenant has its keys once.
        let kept = self
            .remembered
            .get_or_insert_with(tenant, || Ok::<_, ()>(Arc::clone(&issuer)));
        kept.unwrap_or(issuer)
    }

    pub(crate) fn shared_keys(&self) -> Option<&Arc<KeyCache>> {
        self.shared.as_ref()
    }

    /// How the keys of the remembered tenants are that have keys of their own.
    pub(crate) fn key_status(&self) -> Vec<(Issuer, KeyStatus)> {
        let own = self.shared.is_none();
        let issuers = self
            .remembered
            .iter()
            .filter(|_| own)
            .map(|(_, issuer)| issuer);
        issuers
            .map(|issuer| (issuer.verifier.issuer().clone(), issuer.keys.status()))
            .collect()
    }

    /// What is expected of the tokens, but for the tenant.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}
