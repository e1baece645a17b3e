//! `--resource-url`: the API itself says which provider issues its tokens, and which scopes it
//! knows (RFC 9728).
//!
//! The API is a stranger until its token is there. So it chooses no provider for a client with
//! credentials: a secret goes to an issuer that its owner named, and to no other.

use crate::api_metadata;
use crate::args::{ClientArguments, RequestArguments};
use crate::client::ClientVariables;
use crate::exit::CommandError;
use crate::reporter::Reporter;
use portcullis_core::rejection::quote;

/// The arguments with what the metadata of the API fills in; unchanged without `--resource-url`.
///
/// # Errors
///
/// Metadata that cannot be had or read, or that leaves the choice of an issuer open.
pub(super) async fn resolve(
    mut arguments: RequestArguments,
) -> Result<RequestArguments, CommandError> {
    let Some(asked) = arguments.resource_url.take() else {
        return Ok(arguments);
    };
    let metadata = api_metadata::discover(&asked, arguments.client.ca_file.as_deref()).await?;
    let variables = ClientVariables::read(&arguments.client)?;
    let named = arguments
        .client
        .issuer
        .clone()
        .or(variables.issuer.clone());
    let issuer = api_metadata::choose(&metadata, named.as_deref())?;
    if named.is_none() && has_credentials(&arguments.client, &variables) {
        let message = format!(
            "{asked} names the issuer {}, and you did not",
            quote(&issuer)
        );
        return Err(CommandError::could_not_run(message)
            .help("pass it with `--issuer` if the credentials of the client are meant for it"));
    }
    let reporter = Reporter {
        quiet: arguments.quiet,
    };
    let note = format!("{} takes tokens of {issuer}.", metadata.resource);
    reporter.note(&note);
    if metadata.demands_dpop && !arguments.dpop {
        reporter.note("It takes only tokens that are bound to a key: add `--dpop`.");
    }
    if arguments.scope.is_none() && !metadata.scopes.is_empty() {
        arguments.scope = Some(metadata.scopes.join(" "));
    }
    arguments.client.issuer = Some(issuer);
    arguments.resource = Some(metadata.resource);
    Ok(arguments)
}

/// Whether the client has a secret, a key, a certificate or an assertion.
fn has_credentials(client: &ClientArguments, variables: &ClientVariables) -> bool {
    let files = [
        &client.client_secret_file,
        &client.client_key_file,
        &client.client_certificate_file,
        &client.client_assertion_file,
    ];
    files.iter().any(|file| file.is_some())
        || variables.secret.is_some()
        || variables.assertion_file.is_some()
}
