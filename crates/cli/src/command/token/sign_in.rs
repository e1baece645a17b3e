//! A person signs in: in the browser here, or with any browser elsewhere.
//!
//! Addresses and codes are shown on standard error, the address also where the browser opens by
//! itself: it may open out of sight. Ctrl-C ends the waiting.

use super::trouble::failure;
use super::voice::Voice;
use super::wanted::Wanted;
use crate::browser;
use crate::exit::Failure;
use crate::stop::told_to_stop;
use portcullis_client::{Client, Error, LoopbackRedirect, ServerMetadata, Tokens};
use portcullis_core::ConfigErrors;
use portcullis_core::dialect::Dialect;
use std::time::Duration;

/// The authorization code, back to a port of this machine.
pub(super) async fn by_browser(
    wanted: &Wanted,
    client: &Client,
    metadata: &ServerMetadata,
) -> Result<Tokens, Failure> {
    let told = |error: Error| failure(&error, &wanted.party);
    let scope = scope(wanted, metadata);
    let asked = client
        .authorization_code(&wanted.request(&scope))
        .pushed(wanted.par);
    let consent = wants_consent(&scope, &wanted.party.issuer).then_some("consent");
    let asked = wanted.sign_in.apply(asked, consent);
    let redirect = listen(wanted.redirect_uri.as_deref()).await?;
    let flow = asked.start(&redirect.redirect_uri()).await.map_err(told)?;
    if !flow.pkce_is_confirmed() {
        wanted.voice.say(
            "The provider does not say that it checks PKCE: without it, whoever steals the code \
                can use it.",
        );
    }
    invite(flow.url().as_str(), wanted.voice);
    let bar = wanted
        .voice
        .waiting("Waiting for you to sign in ... Ctrl-C stops.");
    let came = unless_stopped(redirect.receive(&flow, PATIENCE)).await;
    bar.finish_and_clear();
    flow.finish(&came?.map_err(told)?).await.map_err(told)
}

/// A code, to be entered anywhere.
pub(super) async fn by_device(
    wanted: &Wanted,
    client: &Client,
    metadata: &ServerMetadata,
) -> Result<Tokens, Failure> {
    let told = |error: Error| failure(&error, &wanted.party);
    let parameters = wanted.sign_in.members();
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let request = wanted.request(&scope(wanted, metadata));
    let flow = client
        .device_with(&request, &parameters)
        .await
        .map_err(told)?;
    let voice = wanted.voice;
    voice.demand("To sign in, open this page on any device:");
    voice.show(flow.verification_uri().as_str());
    voice.demand("and enter this code:");
    voice.show(flow.user_code());
    if let Some(page) = flow.verification_uri_complete() {
        voice.say(&format!("The same page with the code in it: {page}"));
    }
    let bar = voice.waiting("Waiting for you to sign in ...");
    let finished = flow.finish(|progress| {
        // Whole seconds are enough to read.
        let left = humantime::format_duration(Duration::from_secs(progress.left.as_secs()));
        bar.set_message(match progress.trouble {
            None => format!(
                "Waiting for you to sign in; the code is good for another {left}. Ctrl-C stops."
            ),
            Some(_) => format!("The provider does not answer: trying again, for another {left}."),
        });
    });
    let finished = unless_stopped(finished).await;
    bar.finish_and_clear();
    finished?.map_err(told)
}

/// What was asked for; or else what keeps a person signed in, as far as the provider has it.
fn scope(wanted: &Wanted, metadata: &ServerMetadata) -> String {
    if !wanted.asked.scope.is_empty() {
        return wanted.asked.scope.clone();
    }
    let has = |name: &&str| {
        metadata
            .scopes
            .as_ref()
            .is_some_and(|scopes| scopes.iter().any(|scope| scope == name))
    };
    ["openid", "offline_access"]
        .into_iter()
        .filter(has)
        .collect::<Vec<_>>()
        .join(" ")
}

/// OpenID Connect Core 1.0, section 11: `offline_access` counts if the person is asked. Providers
/// of whom we know that they do without would only ask people once more, or whom they may not ask.
fn wants_consent(scope: &str, issuer: &str) -> bool {
    scope.split(' ').any(|scope| scope == "offline_access")
        && Dialect::of_issuer(issuer).name == "generic"
}

/// A free port, or where the redirect URI leads that is registered.
async fn listen(named: Option<&str>) -> Result<LoopbackRedirect, Failure> {
    let bound = match named {
        None => LoopbackRedirect::bind().await,
        Some(named) => LoopbackRedirect::bind_for(named).await,
    };
    bound.map_err(|fault| ConfigErrors::from(fault).into())
}

/// Opens the page, or has it opened.
fn invite(url: &str, voice: Voice) {
    let opened = browser::is_likely(|name| std::env::var_os(name)) && browser::open(url).is_ok();
    match opened {
        true if voice.quiet => {}
        true => {
            voice.say("Your browser opens this page; if it does not, open it yourself:");
            voice.show(url);
        }
        false => {
            voice.demand("To sign in, open this page in a browser on this machine:");
            voice.show(url);
        }
    }
}

/// Waits for something, or until the command is told to end.
async fn unless_stopped<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done),
        _ = told_to_stop() => Err(Failure::could_not_run("stopped: nobody signed in")),
    }
}

/// For how long the browser is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
