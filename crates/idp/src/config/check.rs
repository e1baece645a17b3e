//! Checks the settings, and reports every fault at once.

use crate::config::IdpConfig;
use crate::config::address::{is_origin, is_path_segment};
use portcullis_core::jose::Algorithm;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigErrors, Faults};

impl IdpConfig {
    /// Finds every fault at once.
    ///
    /// # Errors
    ///
    /// All faults of these settings.
    pub fn check(&self) -> Result<(), ConfigErrors> {
        self.read_algorithm().map(|_| ())
    }

    /// The algorithm, if there is no fault anywhere.
    pub(crate) fn read_algorithm(&self) -> Result<Algorithm, ConfigErrors> {
        let faults = Faults::default();
        let algorithm = Algorithm::from_name(&self.algorithm);
        if algorithm.is_none() {
            faults
                .expected("algorithm", "an asymmetric signature algorithm")
                .found(&self.algorithm)
                .help("write `RS256`, `ES256`, `PS256` or `EdDSA`");
        }
        self.check_addresses(&faults);
        if let Some(Err(error)) = self.issuer.clone().map(Issuer::parse) {
            faults
                .wrong("issuer", error.to_string())
                .help("leave it out, or write a URL on loopback");
        }
        self.check_tenants(&faults);
        for (index, origin) in self.cors_origins.iter().enumerate() {
            if !is_origin(origin) {
                faults
                    .expected(
                        &format!("cors_origins[{index}]"),
                        "an origin as browsers write it",
                    )
                    .found(origin)
                    .help("write `http://localhost:3000`, without a path");
            }
        }
        for (index, client) in self.clients.iter().enumerate() {
            client.check(&faults.at(format!("client[{index}]")));
            let is_same = |other: &&crate::RegisteredClient| other.id == client.id;
            if self
                .clients
                .iter()
                .take(index)
                .any(|other| is_same(&other))
            {
                faults
                    .expected(
                        &format!("client[{index}].id"),
                        "an id that no other client has",
                    )
                    .found(&client.id)
                    .help("choose another id");
            }
        }
        for (index, user) in self.users.iter().enumerate() {
            let mut before = self.users.iter().take(index);
            if before.any(|other| other.username == user.username) {
                faults
                    .expected(
                        &format!("user[{index}].username"),
                        "a username that no other user has",
                    )
                    .found(&user.username)
                    .help("choose another username");
            }
        }
        faults.finish(algorithm)
    }

    /// An address beyond loopback is open to whoever reaches it.
    fn check_addresses(&self, faults: &Faults) {
        // The address for certificates counts too: it is just as open.
        let mutual = self.tls.as_ref().and_then(|tls| tls.mtls_listen);
        let addresses = [("listen", Some(self.listen)), ("tls.mtls_listen", mutual)];
        for (member, address) in addresses {
            let Some(address) = address.filter(|it| !it.ip().is_loopback()) else {
                continue;
            };
            if !self.danger_listen_anywhere {
                faults
                    .expected(member, "a loopback address")
                    .found_as(address.to_string())
                    .given(&["danger_listen_anywhere"])
                    .help(
                        "listen on 127.0.0.1, as whoever reaches this provider can sign in as \
                         anybody; `danger_listen_anywhere = true` is for closed sandboxes only",
                    );
            }
        }
    }

    /// Tenants are part of addresses, where a slash or a question mark would change the path.
    fn check_tenants(&self, faults: &Faults) {
        let own = self
            .tenant
            .iter()
            .map(|tenant| ("tenant".to_owned(), tenant));
        let users = self.users.iter().enumerate();
        let users = users.filter_map(|(index, user)| {
            let place = format!("user[{index}].tenant");
            Some((place, user.tenant.as_ref()?))
        });
        for (place, tenant) in own.chain(users) {
            if !is_path_segment(tenant) {
                faults
                    .expected(&place, "a text that fits into a URL's path")
                    .found(tenant)
                    .help("write letters, digits, `-`, `.`, `_` or `~`");
            }
        }
    }
}
