//! The client, ready to ask its provider.

use super::credentials::config_error;
use super::error::convert_error;
use super::identity::ClientIdentity;
use crate::exit::CommandError;
use portcullis_client::{Client, DpopKey, Provider};
use portcullis_core::ConfigError;
use portcullis_core::token::Issuer;

/// The client; its tokens are bound to the key, if there is one. Nothing is sent yet.
///
/// # Errors
///
/// An issuer that is not a URL, and certificates that cannot be read.
pub(crate) fn connect(
    identity: &ClientIdentity,
    key: Option<DpopKey>,
) -> Result<Client, CommandError> {
    let provider = match &identity.metadata_url {
        Some(url) => Provider::builder_at(&identity.issuer, url),
        None => Provider::builder(&identity.issuer),
    };
    let mut provider = provider.map_err(|fault| issuer_fault(fault, identity))?;
    if let Some(pem) = &identity.authorities {
        provider = provider.authorities(pem).map_err(config_error)?;
    }
    let authentication = identity.authentication.clone();
    // An ID token for further audiences is refused (OpenID Connect Core, section 3.1.3.7) unless
    // these are trusted.
    let client = Client::new(provider.build(), &identity.client_id, authentication)
        .trusting_audiences(identity.trusted_audiences.iter().map(String::as_str));
    Ok(match key {
        Some(key) => client.dpop(key),
        None => client,
    })
}

/// The fault of an issuer that is no address: the metadata may be elsewhere.
fn issuer_fault(fault: ConfigError, identity: &ClientIdentity) -> CommandError {
    let is_identifier = Issuer::identifier(identity.issuer.as_str()).is_ok();
    if fault.place() == "issuer" && is_identifier {
        let help = "write the issuer as the provider's metadata has it; if it is no https address, \
            pass the metadata's with `--metadata-url`";
        let message = format!("`--issuer`: {}", fault.message());
        return CommandError::could_not_run(message).help(help);
    }
    config_error(fault)
}

/// The client, with the metadata of its provider fetched.
///
/// # Errors
///
/// As [`connect`], and a provider that does not respond.
pub(crate) async fn discover(
    identity: &ClientIdentity,
    key: Option<DpopKey>,
) -> Result<Client, CommandError> {
    let client = connect(identity, key)?;
    // Fetched first, so that a wrong issuer fails before anybody is asked to sign in.
    match client.provider().metadata().await {
        Ok(_) => Ok(client),
        Err(error) => Err(convert_error(&error, identity)),
    }
}
