//! The documents of an issuer as its settings say where they are.

use super::issuer::{dialect, identifier, source};
use super::trust::trust;
use crate::config::IssuerConfig;
use portcullis_core::dialect::TENANT;
use portcullis_core::{ConfigErrors, Faults, Limits};
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
        let faults = Faults::default();
        let within = faults.at("issuer");
        let dialect = dialect(self, &within);
        let issuer = identifier(&self.url_of_tenant(), dialect, self, &within);
        let trust = trust(self, &within).unwrap_or_default();
        let mut keys = KeySource::Discovered;
        if let (Some(dialect), Some(issuer)) = (dialect, &issuer)
            && let Some(found) = source(issuer, dialect, self, &within)
        {
            keys = found;
        }
        let issuer = faults.finish(issuer)?;
        let egress = Egress {
            fetch: Fetch::new(limits.document_bytes).with_trust(&trust),
            limits,
            clock,
        };
        Ok(Inspector::new(issuer, keys, egress))
    }

    /// The URL with a tenant that is written in place of `{tenantid}`.
    fn url_of_tenant(&self) -> String {
        // `{tenantid}` leads to no document, so the first tenant stands for the others.
        let tenant = self.tenant.as_ref().or_else(|| self.tenants.first());
        match tenant.filter(|_| !self.danger_any_tenant) {
            Some(tenant) => self.url.replace(TENANT, tenant),
            None => self.url.clone(),
        }
    }
}
