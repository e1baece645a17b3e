//! Identity providers that others run in production, each in a language of its own: what their
//! tokens are, and that a resource server reads them with nothing but issuer, audience and profile.
//!
//! They are installed by `cargo xtask test`, configured by their own means, and asked for tokens as
//! a client does it.

mod canaille;
mod glewlwyd;
mod introspection;

use super::command::{portcullis, text};
use super::provider::Provider;
use portcullis::{Config, Denial, ResourceServer, Settings};
use portcullis_core::credential::Credential;
use portcullis_core::token::AccessToken;
use std::path::PathBuf;

/// Where the test command has put a provider, if it has.
fn installed(variable: &str, name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        crate::tally::skipped(&format!(
            "{name} is not installed; `cargo xtask test` does it"
        ));
    }
    folder
}

/// A resource server that finds the provider's documents by itself.
fn server(provider: &Provider, audience: &str, settings: &str) -> ResourceServer {
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{audience}\"]\n{settings}\n",
        provider.issuer
    );
    ResourceServer::with_settings(Settings::try_from(Config::from_toml(&text).unwrap()).unwrap())
}

async fn judge(server: &ResourceServer, token: &str) -> Result<AccessToken, String> {
    server
        .authenticate(Credential::bearer(token))
        .await
        .map_err(|denial| match denial {
            Denial::Rejection(rejection) => rejection.code().to_string(),
            Denial::Outage(outage) => outage.to_string(),
        })
}

/// Who calls, in a word, or why nobody may.
async fn caller(server: &ResourceServer, token: &str) -> String {
    match judge(server, token).await {
        Err(code) => code,
        Ok(token) => {
            let identity = token.identity();
            let client = identity.client().unwrap_or("no client");
            format!("{} of {client}: {}", identity.kind(), identity.scopes())
        }
    }
}

/// `portcullis explain`, as a user would ask: its exit code, and the page.
fn explained(
    provider: &Provider,
    audience: &str,
    profile: &[&str],
    token: &str,
) -> (Option<i32>, String) {
    let environment = [
        ("OAUTH2_ISSUER", provider.issuer.as_str()),
        ("OAUTH2_AUDIENCE", audience),
    ];
    let output = portcullis(&[&["explain"], profile, &[token]].concat(), &environment);
    (output.status.code(), text(&output.stdout))
}

/// `portcullis token`, as a service would ask.
fn token_of_service(provider: &Provider, arguments: &[&str]) -> String {
    let environment = [
        ("OAUTH2_ISSUER", provider.issuer.as_str()),
        ("OAUTH2_CLIENT_ID", "service"),
        ("OAUTH2_CLIENT_SECRET", "service-secret"),
    ];
    let output = portcullis(&[&["token"], arguments].concat(), &environment);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}
