//! `portcullis logout`: the refresh token revoked at the provider, the session there ended with the
//! browser, and what is kept forgotten. The last is done even if the provider is out of reach.

use crate::args::LogoutArguments;
use crate::browser;
use crate::command::token::{Party, Voice, failure, open_store};
use crate::exit::{Exit, Failure};
use crate::store::{Entry, TokenStore};
use portcullis_client::{Client, Error, RefreshToken, Secret};

pub(crate) async fn run(arguments: LogoutArguments) -> Result<Exit, Failure> {
    let voice = Voice {
        quiet: arguments.quiet,
    };
    let store = open_store(arguments.kept.store).await?;
    let entries = store
        .as_ref()
        .map(|store| store.entries())
        .transpose()?
        .unwrap_or_default();
    let (party, meant) = meant(&arguments, &entries)?;
    let (Some(store), false) = (store, meant.is_empty()) else {
        voice.say("Nothing is kept that could be signed out of.");
        return Ok(Exit::Fine);
    };
    // Forgotten first: whatever the provider says, nothing stays behind here.
    forget(&store, &meant)?;
    let mut trouble = None;
    for entry in &meant {
        if let Err(failure) = farewell(&party, entry, arguments.no_browser, voice).await {
            trouble = trouble.or(Some(failure));
        }
    }
    voice.say(if meant.len() == 1 {
        "One token is forgotten here."
    } else {
        "The tokens are forgotten here."
    });
    trouble.map_or(Ok(Exit::Fine), Err)
}

/// The client, and what is kept of it. Without an issuer it is the only one that there is.
fn meant(arguments: &LogoutArguments, entries: &[Entry]) -> Result<(Party, Vec<Entry>), Failure> {
    let known = Party::only_one(&arguments.client, entries)?;
    let party = Party::read(&arguments.client, known)?;
    let of =
        |entry: &&Entry| entry.asked.issuer == party.issuer && entry.asked.client == party.client;
    let meant = entries.iter().filter(of).cloned().collect();
    Ok((party, meant))
}

fn forget(store: &TokenStore, meant: &[Entry]) -> Result<(), Failure> {
    store.remove(|entry| meant.iter().any(|meant| meant.asked == entry.asked))?;
    Ok(())
}

async fn farewell(
    party: &Party,
    entry: &Entry,
    no_browser: bool,
    voice: Voice,
) -> Result<(), Failure> {
    let told = |error: Error| failure(&error, party);
    let client = party.discovered(None).await?;
    let metadata = client.provider().metadata().await.map_err(told)?;
    let revoked = match &entry.refresh_token {
        Some(_) if metadata.revocation_endpoint.is_none() => {
            voice.say(
                "The provider revokes no tokens: the refresh token lives on there until it ends.",
            );
            Ok(())
        }
        Some(text) => {
            let token = RefreshToken::new(Secret::new(text.as_str()));
            client
                .revoke_refresh_token(&token)
                .await
                .map(|()| voice.say("The refresh token is revoked."))
        }
        None => Ok(()),
    };
    if let (Some(id_token), true, false) = (
        &entry.id_token,
        metadata.end_session_endpoint.is_some(),
        no_browser,
    ) {
        end_session(&client, id_token, voice).await.map_err(told)?;
    }
    revoked.map_err(told)
}

/// The browser is sent with the ID token as a hint, so that nobody is asked which session is meant.
/// An address that is shown does without: a token is not printed.
async fn end_session(client: &Client, id_token: &str, voice: Voice) -> Result<(), Error> {
    let with_hint = client.logout_url(Some(id_token), None, None).await?;
    if browser::is_likely(|name| std::env::var_os(name))
        && browser::open(with_hint.as_str()).is_ok()
    {
        voice.say("The browser ends the session at the provider.");
    } else {
        voice.demand(
            "To end the session at the provider as well, open this in the browser you signed in \
                with:",
        );
        voice.show(client.logout_url(None, None, None).await?.as_str());
    }
    Ok(())
}
