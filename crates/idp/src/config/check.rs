//! Checks the settings, and reports every fault at once.

use crate::config::IdpConfig;
use crate::config::address::{is_origin, is_path_segment};
use portcullis_core::jose::Algorithm;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, ConfigErrors};

impl IdpConfig {
    /// Finds every fault at once.
    pub(crate) fn check(&self) -> Result<Algorithm, ConfigErrors> {
        let mut faults = Vec::new();
        let mut fault = |fault| faults.push(fault);
        let algorithm = Algorithm::from_name(&self.algorithm);
        if algorithm.is_none() {
            let expected = ConfigError::expected("algorithm", "an asymmetric signature algorithm");
            let found = expected.found(&self.algorithm);
            fault(found.help("write `RS256`, `ES256`, `PS256` or `EdDSA`"));
        }
        // The address for certificates counts too: it is just as open.
        let mutual = self.tls.as_ref().and_then(|tls| tls.mtls_listen);
        let beyond = [Some(self.listen), mutual]
            .into_iter()
            .flatten()
            .find(|it| !it.ip().is_loopback());
        if let Some(address) = beyond
            && !self.danger_listen_anywhere
        {
            let help = "listen on 127.0.0.1, as whoever reaches this provider can sign in as \
                anybody; `danger_listen_anywhere = true` is for closed sandboxes only";
            let expected = ConfigError::expected("listen", "a loopback address");
            fault(expected.found_as(address.to_string()).help(help));
        }
        if let Some(Err(error)) = self.issuer.clone().map(Issuer::parse) {
            let wrong = ConfigError::wrong("issuer", error.to_string());
            fault(wrong.help("leave it out, or write a URL on loopback"));
        }
        // Tenants are part of addresses, where a slash or a question mark would change the path.
        for tenant in self.tenants().filter(|tenant| !is_path_segment(tenant)) {
            let cure = "write letters, digits, `-`, `.`, `_` or `~`";
            let expected = ConfigError::expected("tenant", "a text that fits into a URL's path");
            fault(expected.found(tenant).help(cure));
        }
        for origin in self.cors_origins.iter().filter(|origin| !is_origin(origin)) {
            let expected = ConfigError::expected("cors_origins", "an origin as browsers write it");
            let found = expected.found(origin);
            fault(found.help("write `http://localhost:3000`, without a path"));
        }
        for client in &self.clients {
            if let Some((problem, help)) = client.fault() {
                fault(ConfigError::wrong(format!("client `{}`", client.id), problem).help(help));
            }
        }
        ConfigErrors::check(faults)?;
        // Never the fallback: an unknown algorithm is one of the faults.
        Ok(algorithm.unwrap_or(Algorithm::RS256))
    }

    /// The tenants that are named: the provider's, and the users'.
    fn tenants(&self) -> impl Iterator<Item = &str> {
        self.tenant
            .iter()
            .chain(self.users.iter().filter_map(|user| user.tenant.as_ref()))
            .map(String::as_str)
    }
}
