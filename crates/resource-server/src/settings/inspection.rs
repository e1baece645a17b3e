//! The documents of an issuer as its settings say where they are.

use super::issuer::{dialect, identifier, source, trust};
use super::noted;
use crate::config::IssuerConfig;
use portcullis_core::dialect::TENANT;
use portcullis_core::{ConfigErrors, Limits};
use portcullis_provider::clock::Clock;
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::Fetch;
use portcullis_provider::inspect::Inspector;
use portcullis_provider::keys::KeySource;
use std::sync::Arc;

impl IssuerConfig {
    /// Looks at the documents of this issuer as a running server finds them. No audience is needed:
    /// no token is decided on.
    ///
    /// # Errors
    ///
    /// What is wrong with the issuer, its addresses, or the file with its certificates.
    pub fn inspector(
        &self,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Result<Inspector, ConfigErrors> {
        let mut faults = Vec::new();
        let dialect = dialect("profile", self, &mut faults);
        let issuer = identifier("issuer", &self.url_of_tenant(), dialect, self)?;
        let trust = noted(&mut faults, trust("issuer", self)).unwrap_or_default();
        let mut keys = KeySource::Discovered;
        if let Some(dialect) = dialect
            && let Some(found) = noted(&mut faults, source("issuer", &issuer, dialect, self))
        {
            keys = found;
        }
        ConfigErrors::check(faults)?;
        let egress = Egress {
            fetch: Fetch::new(limits.document_bytes).with_trust(&trust),
            limits,
            clock,
        };
        Ok(Inspector::new(issuer, keys, egress))
    }

    /// The URL with a tenant that is written in place of `{tenantid}`.
    fn url_of_tenant(&self) -> String {
        let tenant = self.tenant.as_ref().or_else(|| self.tenants.first());
        match tenant.filter(|_| !self.danger_any_tenant) {
            Some(tenant) => self.url.replace(TENANT, tenant),
            None => self.url.clone(),
        }
    }
}
