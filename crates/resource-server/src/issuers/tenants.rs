//! One entry for many tenants of a provider: `{tenantid}` in its URL stands for each of them.
//!
//! A tenant is accepted if it is on the list (or all are, behind `danger_any_tenant`). The memory
//! of tenants is bounded, and only accepted ones enter it. Refuses: tenants that are not on the
//! list, and texts that cannot be a tenant. Whether the token's own claim names the same tenant,
//! and whether its key is that tenant's, is for the check table.

use super::trusted_issuer::{IssuerEntry, TrustedIssuer};
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
    entry: IssuerEntry,
    /// None where each tenant has keys of its own.
    shared: Option<Arc<KeyCache>>,
    remembered: Cache<String, Arc<TrustedIssuer>>,
}

impl TenantIssuers {
    pub(super) fn new(settings: IssuerSettings, entry: IssuerEntry) -> Self {
        let template = settings.verifier.issuer().as_str();
        let (before, after) = template.split_once(TENANT).unwrap_or((template, ""));
        let (before, after) = (before.into(), after.into());
        // Only discovery under the tenant's own URL finds keys of its own.
        let shared = match settings.source {
            KeySource::Discovered => None,
            _ => Some(entry.keys_of(settings.verifier.issuer())),
        };
        Self {
            before,
            after,
            verifier: settings.verifier,
            tenants: settings.tenants,
            entry,
            shared,
            remembered: Cache::new(settings.remembered_tenants),
        }
    }

    /// The issuer that a token names, if it is of this template: an accepted tenant, or a refusal.
    pub(super) fn find(&self, issuer: &str) -> Option<Result<Arc<TrustedIssuer>, Rejection>> {
        let tenant = issuer.strip_prefix(&*self.before)?;
        let tenant = tenant.strip_suffix(&*self.after)?;
        if !self.accepts(tenant) {
            return Some(Err(Rejection::of_tenant(tenant)));
        }
        if let Some(known) = self.remembered.get(tenant) {
            return Some(Ok(known));
        }
        // The tenant is foreign text: it becomes part of an issuer only if that stays a proper one.
        match self.verifier.for_tenant(tenant) {
            Ok(verifier) => Some(Ok(self.remember(tenant, verifier))),
            Err(_) => Some(Err(Rejection::of_tenant(tenant))),
        }
    }

    fn accepts(&self, tenant: &str) -> bool {
        match &self.tenants {
            Tenants::One => false,
            Tenants::Listed(tenants) => tenants.contains(tenant),
            Tenants::Any => is_tenant(tenant, self.verifier.profile().dialect.tenant_is_guid),
        }
    }

    fn remember(&self, tenant: &str, verifier: Verifier) -> Arc<TrustedIssuer> {
        let keys = match &self.shared {
            Some(shared) => Arc::clone(shared),
            None => self.entry.keys_of(verifier.issuer()),
        };
        let issuer = Arc::new(self.entry.issuer(verifier, keys));
        // Of two that come at once the first stays: a tenant has its keys once.
        let first = || Ok::<_, ()>(Arc::clone(&issuer));
        let kept = self.remembered.get_or_insert_with(tenant, first);
        kept.unwrap_or(issuer)
    }

    pub(super) fn shared_keys(&self) -> Option<&Arc<KeyCache>> {
        self.shared.as_ref()
    }

    /// The state of the keys of each remembered tenant that has keys of its own.
    pub(super) fn key_status(&self) -> Vec<(Issuer, KeyStatus)> {
        let mut status = Vec::new();
        if self.shared.is_some() {
            return status;
        }
        for (_, issuer) in self.remembered.iter() {
            status.push((issuer.verifier.issuer().clone(), issuer.keys.status()));
        }
        status
    }

    /// The checks of the tokens, but for the tenant.
    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}
