//! Which client asks which provider: from the arguments, the environment, `.env`, and the store.

use super::credentials::{authentication, read_optional_pem};
use super::variables::{ClientVariables, names_issuer};
use crate::args::ClientArguments;
use crate::exit::CommandError;
use crate::store::StoredToken;
use portcullis_client::Authentication;
use portcullis_core::token::issuer::is_loopback_host;
use portcullis_core::{ConfigError, ConfigErrors};
use reqwest::Url;
use std::path::PathBuf;

/// The issuer, the client's id, and what proves the client.
#[derive(Clone, Debug)]
pub(crate) struct ClientIdentity {
    pub(crate) issuer: String,
    /// Where the metadata is, if not under the issuer.
    pub(super) metadata_url: Option<String>,
    pub(crate) client_id: String,
    pub(super) authentication: Authentication,
    /// The certificate and key by which the client authenticates, where it does so: tokens may be
    /// bound to it. Read when an API is called.
    pub(crate) certificate: Option<PathBuf>,
    /// Certificates in PEM to trust besides those of the system.
    pub(crate) authorities: Option<Vec<u8>>,
    /// Audiences besides the client's own that an ID token may name.
    pub(crate) trusted_audiences: Vec<String>,
}

/// An issuer and a client that the store has tokens of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredClient {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
}

impl ClientIdentity {
    /// Reads the arguments and variables. `stored` fills in where neither names an issuer.
    ///
    /// # Errors
    ///
    /// Everything that is missing, and files that cannot be read.
    pub(crate) fn read(
        arguments: &ClientArguments,
        stored: Option<StoredClient>,
    ) -> Result<Self, CommandError> {
        let variables = ClientVariables::read(arguments)?;
        let authentication = authentication(arguments, &variables)?;
        let (stored_issuer, stored_client) = match stored {
            Some(StoredClient { issuer, client_id }) => (Some(issuer), Some(client_id)),
            None => (None, None),
        };
        // What is typed wins over what is set, and both over what is stored.
        let issuer = arguments.issuer.clone();
        let issuer = issuer.or(variables.issuer).or(stored_issuer);
        let client_id = arguments.client_id.clone();
        let mut client_id = client_id.or(variables.client_id).or(stored_client);
        // A client with credentials has an id of its own, which must not be guessed.
        if client_id.is_none() && is_public(&authentication) {
            client_id = issuer.as_deref().and_then(development_client);
        }
        check_presence(issuer.as_deref(), client_id.as_deref())?;
        Ok(Self {
            issuer: issuer.unwrap_or_default(),
            metadata_url: arguments.metadata_url.clone(),
            client_id: client_id.unwrap_or_default(),
            authentication,
            // Beside a key, it only says which key that is.
            certificate: match arguments.client_key_file {
                None => arguments.client_certificate_file.clone(),
                Some(_) => None,
            },
            authorities: read_optional_pem(arguments.ca_file.as_deref())?,
            trusted_audiences: Vec::new(),
        })
    }

    /// Whether the provider runs on this machine.
    pub(super) fn is_on_this_machine(&self) -> bool {
        is_on_this_machine(&self.issuer)
    }

    /// Whether the client has credentials (RFC 6749, section 2.1: it is confidential).
    pub(crate) fn has_credentials(&self) -> bool {
        !is_public(&self.authentication)
    }
}

impl StoredClient {
    /// The only client in the store that fits the arguments; none where they name an issuer.
    ///
    /// # Errors
    ///
    /// There are several: which one to sign out must not be guessed.
    pub(crate) fn find(
        arguments: &ClientArguments,
        tokens: &[StoredToken],
    ) -> Result<Option<Self>, CommandError> {
        if names_issuer(arguments)? {
            return Ok(None);
        }
        let mut clients: Vec<Self> = Vec::new();
        for token in tokens {
            let client = Self {
                issuer: token.purpose.issuer.clone(),
                client_id: token.purpose.client.clone(),
            };
            let is_other = matches!(&arguments.client_id, Some(id) if *id != client.client_id);
            if !is_other && !clients.contains(&client) {
                clients.push(client);
            }
        }
        if clients.len() > 1 {
            let message = format!(
                "expected one client, found stored tokens of {} clients",
                clients.len()
            );
            return Err(CommandError::could_not_run(message)
                .help("pass `--issuer` and `--client-id`; `portcullis token list` shows them"));
        }
        Ok(clients.pop())
    }
}

/// Reports both faults at once: the second one should not come as a surprise later.
fn check_presence(issuer: Option<&str>, client_id: Option<&str>) -> Result<(), ConfigErrors> {
    let mut faults = Vec::new();
    if issuer.is_none() {
        let help = "set it, or pass `--issuer https://...`";
        faults.push(ConfigError::wrong("OAUTH2_ISSUER", "it is not set").help(help));
    }
    if client_id.is_none() {
        let help = "set it, or pass `--client-id`: the client must be registered at the provider";
        faults.push(ConfigError::wrong("OAUTH2_CLIENT_ID", "it is not set").help(help));
    }
    ConfigErrors::check(faults)
}

fn is_public(authentication: &Authentication) -> bool {
    authentication.method() == Authentication::public().method()
}

/// The public client of the development identity provider, for an issuer on this machine.
fn development_client(issuer: &str) -> Option<String> {
    is_on_this_machine(issuer).then(|| "web".to_owned())
}

fn is_on_this_machine(issuer: &str) -> bool {
    let Ok(url) = Url::parse(issuer) else {
        // Reported when the provider is asked.
        return false;
    };
    url.host_str().is_some_and(is_loopback_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_provider_on_this_machine_has_a_known_client() {
        for (issuer, client) in [
            ("http://127.0.0.1:9000", Some("web")),
            ("http://localhost:9000/realms/x", Some("web")),
            ("https://idp.example", None),
        ] {
            assert_eq!(development_client(issuer).as_deref(), client, "{issuer}");
        }
    }
}
