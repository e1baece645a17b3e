//! A token: the one that is kept, the one that is renewed, or a new one, in this order.
//!
//! Whoever wants the same one waits for whoever was first, and finds it then: two processes never
//! spend the same refresh token, and one sign-in is enough for both.

use super::choice::{Circumstances, Way, choose};
use super::now;
use super::sign_in;
use super::trouble::failure;
use super::wanted::Wanted;
use crate::args::Grant;
use crate::browser;
use crate::exit::Failure;
use crate::store::{Entry, Held, Holder, TokenStore};
use portcullis_client::{Client, DpopKey, Error, RefreshToken, Secret, Tokens};
use portcullis_core::jose::base64url;
use portcullis_core::token::NumericDate;
use std::io::IsTerminal as _;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is wanted, from the store or from the provider; kept, where there is a store.
pub(super) async fn obtain(
    wanted: &Wanted,
    store: Option<Arc<TokenStore>>,
) -> Result<Entry, Failure> {
    let Some(store) = store.filter(|_| wanted.is_kept()) else {
        return new(wanted).await;
    };
    let began = now();
    if let Some(entry) = store
        .find(&wanted.asked)?
        .filter(|entry| is_enough(wanted, entry, None))
    {
        return Ok(entry);
    }
    let _held = hold(wanted, &store).await?;
    let kept = store.find(&wanted.asked)?;
    if let Some(entry) = kept
        .clone()
        .filter(|entry| is_enough(wanted, entry, Some(began)))
    {
        return Ok(entry);
    }
    let renewed = match kept {
        Some(kept) if kept.refresh_token.is_some() && wanted.is_met_by_renewal_of(&kept, now()) => {
            renew(wanted, &kept, &store).await?
        }
        _ => None,
    };
    let entry = match renewed {
        Some(entry) => entry,
        None => new(wanted).await?,
    };
    store.put(entry.clone(), now())?;
    Ok(entry)
}

/// Whether a kept entry will do; to whoever wants a new one, what another process got since they
/// began.
fn is_enough(wanted: &Wanted, entry: &Entry, began: Option<i64>) -> bool {
    let new_enough = !wanted.renew || began.is_some_and(|began| entry.obtained > began);
    let enough = new_enough && wanted.is_met_by(entry, now());
    if enough {
        wanted.voice.say("Using the token that is kept.");
    }
    enough
}

/// The lock for this token, waited for on a thread that may block.
async fn hold(wanted: &Wanted, store: &Arc<TokenStore>) -> Result<Held, Failure> {
    let (store, asked, voice) = (Arc::clone(store), wanted.asked.clone(), wanted.voice);
    let waiting = move || voice.say("Another process is getting this token: waiting for it ...");
    let held = tokio::task::spawn_blocking(move || store.hold(&asked, waiting)).await;
    held.map_err(|error| Failure::could_not_run(error.to_string()))?
}

/// New tokens by the refresh token; none where the provider does not take it any more and somebody
/// may sign in.
async fn renew(
    wanted: &Wanted,
    kept: &Entry,
    store: &TokenStore,
) -> Result<Option<Entry>, Failure> {
    let Some(text) = &kept.refresh_token else {
        return Ok(None);
    };
    let refresh_token = RefreshToken::new(Secret::new(text.as_str()));
    let refresh_token = match &kept.subject {
        Some(subject) => refresh_token.belonging_to(subject),
        None => refresh_token,
    };
    let client = wanted.party.discovered(key_of(kept)?).await?;
    wanted.voice.say("Renewing the token that is kept ...");
    let request = wanted.request(kept.granted.as_deref().unwrap_or_default());
    match client.refresh(&refresh_token, &request).await {
        Ok(tokens) => Ok(Some(entry(wanted, &client, &tokens, Before::Renewed(kept)))),
        Err(Error::Refused(refusal))
            if refusal.ends_the_session() || refusal.asks_for_the_person() =>
        {
            if refusal.ends_the_session() {
                // It is of no use to anybody: what was got with it may be.
                store.remove(|entry| entry.asked == wanted.asked)?;
            }
            if wanted.grant == Grant::Refresh {
                return Err(failure(&Error::Refused(refusal), &wanted.party));
            }
            wanted.voice.say(&format!(
                "The refresh token is not taken any more: {refusal}."
            ));
            Ok(None)
        }
        Err(error) => Err(failure(&error, &wanted.party)),
    }
}

/// The key that what is kept is bound to.
pub(super) fn key_of(kept: &Entry) -> Result<Option<DpopKey>, Failure> {
    let Some(text) = &kept.dpop_key else {
        return Ok(None);
    };
    let broken = || {
        Failure::could_not_run(
            "the key of the token that is kept is broken: `portcullis token clear`",
        )
    };
    let der = Zeroizing::new(base64url::decode(text).map_err(|_| broken())?);
    DpopKey::from_pkcs8(&der).map(Some).map_err(|_| broken())
}

/// A new token, by the way that was chosen.
async fn new(wanted: &Wanted) -> Result<Entry, Failure> {
    let told = |error: Error| failure(&error, &wanted.party);
    let began = now();
    let key = wanted
        .asked
        .dpop
        .then(DpopKey::generate)
        .transpose()
        .map_err(told)?;
    let client = wanted.party.discovered(key).await?;
    let metadata = client.provider().metadata().await.map_err(told)?;
    let (way, why) = choose(&Circumstances {
        grant: wanted.grant,
        proof: wanted.party.proves_itself(),
        subject_token: wanted.subject.is_some(),
        for_a_person: wanted.sign_in.says_anything(),
        code: metadata.authorization_endpoint.is_some(),
        device: metadata.device_authorization_endpoint.is_some(),
        somebody: std::io::stderr().is_terminal(),
        browser: browser::is_likely(|name| std::env::var_os(name)),
    })?;
    wanted
        .voice
        .say(&format!("Getting a token {}: {why}.", in_words(way)));
    let asked = wanted.request(&wanted.asked.scope);
    let tokens = match (way, &wanted.subject) {
        (Way::ClientCredentials, _) => client.client_credentials(&asked).await.map_err(told)?,
        (Way::Exchange, Some((subject, _))) => {
            client.exchange(subject, None, &asked).await.map_err(told)?
        }
        (Way::OnBehalfOf, Some((_, text))) => {
            client.on_behalf_of(text, &asked).await.map_err(told)?
        }
        (Way::Device, _) => sign_in::by_device(wanted, &client, metadata).await?,
        (Way::Code | Way::Exchange | Way::OnBehalfOf, _) => {
            sign_in::by_browser(wanted, &client, metadata).await?
        }
    };
    let withheld = tokens.withheld_scope().to_string();
    if !withheld.is_empty() && !wanted.asked.scope.is_empty() {
        wanted
            .voice
            .say(&format!("The provider did not grant: {withheld}."));
    }
    Ok(entry(wanted, &client, &tokens, Before::Nothing { began }))
}

fn in_words(way: Way) -> &'static str {
    match way {
        Way::ClientCredentials => "by client credentials",
        Way::Code => "in the browser",
        Way::Device => "by a code for another device",
        Way::Exchange => "by exchange",
        Way::OnBehalfOf => "on behalf of a user",
    }
}

/// What there was before an answer.
#[derive(Clone, Copy)]
enum Before<'e> {
    /// Nothing: the flow began at this moment.
    Nothing { began: i64 },
    /// The entry that was renewed.
    Renewed(&'e Entry),
}

/// What there is to keep of an answer. A renewal without an ID token leaves the old one, which is
/// good for a logout.
fn entry(wanted: &Wanted, client: &Client, tokens: &Tokens, came_after: Before<'_>) -> Entry {
    let text = |text: &str| Zeroizing::new(text.to_owned());
    let (before, began) = match came_after {
        Before::Nothing { began } => (None, (wanted.asked.holder == Holder::User).then_some(began)),
        Before::Renewed(kept) => (Some(kept), kept.signed_in),
    };
    let access_token = tokens.access_token();
    let id_token = tokens.id_token();
    let time = |name: &str| {
        let claim = id_token.and_then(|token| token.claim(name));
        claim
            .and_then(NumericDate::from_json)
            .map(NumericDate::seconds)
    };
    Entry {
        asked: wanted.asked.clone(),
        access_token: text(access_token.expose()),
        token_type: access_token.kind().scheme().to_owned(),
        refresh_token: tokens.refresh_token().map(|token| text(token.expose())),
        id_token: id_token.map_or_else(
            || before.and_then(|kept| kept.id_token.clone()),
            |token| Some(text(token.expose())),
        ),
        granted: Some(tokens.scope().to_string()).filter(|scope| !scope.is_empty()),
        // The page may have signed the person in long before, in another window.
        signed_in: time("auth_time").or(began),
        obtained: now(),
        expires: Some(access_token.expires_at().seconds()),
        id_token_expires: id_token.map_or_else(
            || before.and_then(|kept| kept.id_token_expires),
            |_| time("exp"),
        ),
        subject: id_token.map_or_else(
            || before.and_then(|kept| kept.subject.clone()),
            |token| Some(token.subject().to_owned()),
        ),
        dpop_key: client
            .dpop_key()
            .map(|key| Zeroizing::new(base64url::encode(&key.to_pkcs8()))),
    }
}
