//! The authorization code grant, with PKCE: the browser returns to a port of this machine.

use super::super::request::TokenQuery;
use super::{scope, unless_stopped};
use crate::browser;
use crate::client::convert_error;
use crate::exit::CommandError;
use crate::output::wrap;
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
    // Shown with `--quiet` too: without it, a person waits for a page that never comes back.
    let text = reminder(query, &redirect.redirect_uri());
    let remind = || spinner.suspend(|| query.reporter.instruct(&text));
    let receive = redirect.receive(&flow, TIMEOUT);
    let callback = unless_stopped(with_reminder(PATIENCE, receive, remind)).await;
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

/// Waits, and reminds the person once if it takes longer than they need to type a password.
async fn with_reminder<T>(
    patience: Duration,
    waiting: impl Future<Output = T>,
    remind: impl FnOnce(),
) -> T {
    let mut waiting = std::pin::pin!(waiting);
    tokio::select! {
        // A callback that is there already comes before the reminder.
        biased;
        done = &mut waiting => return done,
        () = tokio::time::sleep(patience) => {}
    }
    remind();
    waiting.await
}

/// What may be wrong if the browser does not come back. A provider shows the fault of a redirect
/// URI to the person, and sends nothing here (RFC 6749, section 4.1.2.1).
fn reminder(query: &TokenQuery, here: &str) -> String {
    let registered = match &query.redirect_uri {
        Some(uri) => uri.clone(),
        None => "http://127.0.0.1/callback (with any port)".to_owned(),
    };
    let text = format!(
        "Still waiting for the browser to come back to {here}. If its page shows an error, the \
            provider refused the request, most often for its redirect URI: register {registered} \
            for the client {} there, or pass the registered one with --redirect-uri. Ctrl-C \
            cancels.",
        query.client.client_id
    );
    wrap(&text, 0)
}

/// How long a person may take before they are reminded.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long the browser may take to come back.
const TIMEOUT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_person_is_reminded_once_and_only_if_it_takes_long() {
        let mut reminded = 0;
        with_reminder(PATIENCE, std::future::ready(()), || reminded += 1).await;
        assert_eq!(reminded, 0);
        let (send, receive) = tokio::sync::oneshot::channel();
        // The reminder itself ends the waiting, so that the test takes no time.
        let remind = || {
            reminded += 1;
            _ = send.send(7);
        };
        let received = with_reminder(Duration::ZERO, receive, remind).await;
        assert_eq!((received, reminded), (Ok(7), 1));
    }
}
