//! `portcullis logout`: revokes the refresh token at the provider, ends the session there with the
//! browser, and deletes the stored tokens, even if the provider is out of reach.

use crate::args::LogoutArguments;
use crate::browser;
use crate::client::{ClientIdentity, StoredClient, convert_error, discover};
use crate::clock::now;
use crate::exit::{CommandError, Exit};
use crate::ownership;
use crate::reporter::Reporter;
use crate::store::{StoredToken, open_store};
use portcullis_client::{Client, Error, RefreshToken, Secret};

pub(crate) async fn run(arguments: LogoutArguments) -> Result<Exit, CommandError> {
    let reporter = Reporter {
        quiet: arguments.quiet,
    };
    let Some(store) = open_store(arguments.store.store).await? else {
        // Read all the same, so that wrong arguments are an error everywhere.
        ClientIdentity::read(&arguments.client, None)?;
        reporter.note(NOTHING_STORED);
        return Ok(Exit::Fine);
    };
    let stored = store.tokens()?;
    let only_client = StoredClient::find(&arguments.client, &stored)?;
    let client = ClientIdentity::read(&arguments.client, only_client)?;
    if !stored.iter().any(|token| belongs_to(token, &client)) {
        reporter.note(NOTHING_STORED);
        return Ok(Exit::Fine);
    }
    // Deleted first: whatever the provider answers, nothing stays behind here.
    let tokens = store.remove(|token| belongs_to(token, &client))?;
    let mut first_failure = None;
    for token in &tokens {
        // The other tokens are revoked even if one fails.
        if let Err(failure) = sign_out(&client, token, arguments.no_browser, reporter).await {
            first_failure.get_or_insert(failure);
        }
    }
    for line in farewell(&tokens, &client, now()) {
        reporter.note(&line);
    }
    match first_failure {
        None => Ok(Exit::Fine),
        Some(failure) => Err(failure),
    }
}

/// Who was signed out, and what stays valid.
fn farewell(tokens: &[StoredToken], client: &ClientIdentity, now: i64) -> Vec<String> {
    let stored = match tokens.len() {
        1 => "the stored token".to_owned(),
        count => format!("{count} stored tokens"),
    };
    let issuer = &client.issuer;
    // A service has no person; its client says which secret was in use.
    let whose = match tokens.iter().find_map(ownership::person) {
        Some(person) => format!("Signed out {person} at {issuer}: deleted {stored}."),
        None => format!("Deleted {stored} of {} at {issuer}.", client.client_id),
    };
    let mut lines = vec![whose];
    // Without an end, nothing can be said about it.
    let last = tokens.iter().filter_map(|token| token.expires).max();
    if let Some(last) = last.filter(|last| *last > now) {
        lines.push(format!(
            "A copy of an access token stays valid until {}, unless the API asks the provider or \
                follows a revocation store (`portcullis revoke`).",
            ownership::end(last, now)
        ));
    }
    lines
}

fn belongs_to(token: &StoredToken, client: &ClientIdentity) -> bool {
    token.purpose.issuer == client.issuer && token.purpose.client == client.client_id
}

async fn sign_out(
    identity: &ClientIdentity,
    token: &StoredToken,
    no_browser: bool,
    reporter: Reporter,
) -> Result<(), CommandError> {
    let convert = |error: Error| convert_error(&error, identity);
    let client = discover(identity, None).await?;
    let metadata = client.provider().metadata().await.map_err(convert)?;
    let revoked = match &token.refresh_token {
        Some(_) if metadata.revocation_endpoint().is_none() => {
            reporter.note(
                "The provider has no revocation endpoint; the refresh token is valid until it \
                    expires.",
            );
            Ok(())
        }
        Some(text) => revoke(&client, text, reporter).await,
        None => Ok(()),
    };
    // The session ends even if the revocation failed: it is the wider of the two.
    if let Some(id_token) = &token.id_token
        && metadata.end_session_endpoint().is_some()
        && !no_browser
    {
        end_session(&client, id_token, reporter)
            .await
            .map_err(convert)?;
    }
    revoked.map_err(convert)
}

async fn revoke(client: &Client, refresh_token: &str, reporter: Reporter) -> Result<(), Error> {
    let token = RefreshToken::new(Secret::new(refresh_token));
    client.revoke_refresh_token(&token).await?;
    reporter.note("Revoked the refresh token.");
    Ok(())
}

/// Opens the logout page with the ID token as a hint, so that the provider need not ask which
/// session is meant.
async fn end_session(client: &Client, id_token: &str, reporter: Reporter) -> Result<(), Error> {
    let url = client.logout_url(Some(id_token), None, None).await?;
    if browser::is_likely() && browser::open(url.as_str()).is_ok() {
        reporter.note("Opened the browser to end the session at the provider.");
        return Ok(());
    }
    reporter.instruct(
        "To end the session at the provider, open this page in the browser you signed in with:",
    );
    // Without the hint: a token must not be printed.
    let url = client.logout_url(None, None, None).await?;
    reporter.show(url.as_str());
    Ok(())
}

const NOTHING_STORED: &str = "There are no stored tokens to sign out of.";
