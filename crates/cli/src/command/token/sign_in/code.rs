//! The authorization code grant, with PKCE: the browser returns to a port of this machine.

use super::super::request::TokenQuery;
use super::{scope, unless_stopped};
use crate::browser;
use crate::client::convert_error;
use crate::exit::CommandError;
use crate::reporter::Reporter;
use portcullis_client::{Client, Error, LoopbackRedirect, ServerMetadata, TokenResponse};
use portcullis_core::ConfigErrors;
use portcullis_core::dialect::Dialect;
use std::time::Duration;

/// Sends the person to the provider's page, and exchanges the code that comes back.
pub(in super::super) async fn sign_in(
    query: &TokenQuery,
    client: &Client,
    metadata: &ServerMetadata,
) -> Result<TokenResponse, CommandError> {
    let convert = |error: Error| convert_error(&error, &query.client);
    let scope = scope(query, metadata);
    let request = client.authorization_code(&query.parameters(&scope));
    let request = request.pushed_request(query.par);
    let default_prompt = needs_consent(&scope, &query.client.issuer).then_some("consent");
    let request = query.sign_in.apply(request, default_prompt);
    // The port is opened first: the redirect URI in the request names it.
    let redirect = listen(query.redirect_uri.as_deref()).await?;
    let flow = request.start(&redirect.redirect_uri()).await;
    let flow = flow.map_err(convert)?;
    // A note and no error: some providers support PKCE, and their metadata does not say so.
    if !flow.pkce_is_confirmed() {
        query.reporter.note(
            "The provider does not announce PKCE with S256; without it, a stolen code can be used.",
        );
    }
    invite(flow.url().as_str(), query.reporter);
    let spinner = query
        .reporter
        .spinner("Waiting for you to sign in ... Ctrl-C cancels.");
    let callback = unless_stopped(redirect.receive(&flow, TIMEOUT)).await;
    // Cleared before `?`, as an error would be printed into the line of the spinner.
    spinner.finish_and_clear();
    flow.finish(&callback?.map_err(convert)?)
        .await
        .map_err(convert)
}

/// OpenID Connect Core, section 11: `offline_access` takes effect only with consent. Providers that
/// are known to do without would ask people needlessly, or need an administrator for it.
fn needs_consent(scope: &str, issuer: &str) -> bool {
    let offline = scope.split(' ').any(|scope| scope == "offline_access");
    offline && Dialect::of_issuer(issuer).consent_needed
}

/// A free port, or the one of the registered redirect URI.
async fn listen(redirect_uri: Option<&str>) -> Result<LoopbackRedirect, CommandError> {
    let redirect = match redirect_uri {
        // Providers have to allow any port on loopback (RFC 8252, section 7.3).
        None => LoopbackRedirect::bind().await,
        Some(redirect_uri) => LoopbackRedirect::bind_for(redirect_uri).await,
    };
    redirect.map_err(|fault| ConfigErrors::from(fault).into())
}

/// Opens the page, or asks the person to.
fn invite(url: &str, reporter: Reporter) {
    if browser::is_likely() && browser::open(url).is_ok() {
        if reporter.quiet {
            return;
        }
        reporter.note("Opening this page in your browser; if nothing opens, open it yourself:");
    } else {
        reporter.instruct("To sign in, open this page in a browser on this machine:");
    }
    reporter.show(url);
}

/// How long the browser may take to come back.
const TIMEOUT: Duration = Duration::from_secs(600);
