//! A token: the stored one, a refreshed one, or a new one, in this order.
//!
//! A process that needs the same token waits for the first one, and finds the token in the store.
//! So two processes never use the same refresh token, and one sign-in is enough for both.

use super::grant::{Circumstances, GrantFlow, choose};
use super::request::TokenQuery;
use super::sign_in;
use crate::args::Grant;
use crate::browser;
use crate::client::{convert_error, discover};
use crate::clock::now;
use crate::exit::CommandError;
use crate::store::{Holder, StoreLock, StoredToken, TokenStore};
use portcullis_client::{
    Client, DpopKey, Error, IdToken, RefreshToken, Secret, ServerMetadata, TokenResponse,
};
use portcullis_core::jose::base64url;
use portcullis_core::token::NumericDate;
use std::io::IsTerminal as _;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The token that the query asks for, from the store or from the provider.
pub(super) async fn obtain(
    query: &TokenQuery,
    store: Option<Arc<TokenStore>>,
) -> Result<StoredToken, CommandError> {
    match store {
        Some(store) if query.is_storable() => obtain_stored(query, &store).await,
        _ => request_new(query).await,
    }
}

async fn obtain_stored(
    query: &TokenQuery,
    store: &Arc<TokenStore>,
) -> Result<StoredToken, CommandError> {
    let began = now();
    // The common case takes no lock and sends nothing.
    if let Some(token) = store.find(&query.purpose)?
        && is_sufficient(query, &token, None)
    {
        return Ok(token);
    }
    let _lock = lock(query, store).await?;
    // Another process may have stored a token while this one waited.
    let stored = store.find(&query.purpose)?;
    if let Some(token) = &stored
        && is_sufficient(query, token, Some(began))
    {
        return Ok(token.clone());
    }
    let refreshed = match &stored {
        Some(token) if query.accepts_refresh_of(token, now()) => {
            refresh(query, token, store).await?
        }
        _ => None,
    };
    let token = match refreshed {
        Some(token) => token,
        None => request_new(query).await?,
    };
    // Stored before it is printed: a refresh token that rotates exists nowhere else.
    store.put(token.clone(), now())?;
    Ok(token)
}

/// Whether a stored token will do. With `--renew`, one that another process obtained after this
/// one `began` does.
fn is_sufficient(query: &TokenQuery, token: &StoredToken, began: Option<i64>) -> bool {
    let is_new = matches!(began, Some(began) if token.obtained > began);
    let sufficient = (is_new || !query.renew) && query.accepts(token, now());
    if sufficient {
        query.reporter.note("Using the stored token.");
    }
    sufficient
}

async fn lock(query: &TokenQuery, store: &Arc<TokenStore>) -> Result<StoreLock, CommandError> {
    let (store, purpose) = (Arc::clone(store), query.purpose.clone());
    let reporter = query.reporter;
    let on_wait = move || {
        reporter.note("Another process is requesting this token; waiting for it ...");
    };
    // The other process may wait for a person: a thread that may block takes the lock.
    let locked = tokio::task::spawn_blocking(move || store.lock(&purpose, on_wait)).await;
    locked.map_err(|error| CommandError::could_not_run(error.to_string()))?
}

/// New tokens for the refresh token; none if the provider no longer accepts it, and somebody may
/// sign in.
async fn refresh(
    query: &TokenQuery,
    stored: &StoredToken,
    store: &TokenStore,
) -> Result<Option<StoredToken>, CommandError> {
    let Some(text) = &stored.refresh_token else {
        return Ok(None);
    };
    let mut refresh_token = RefreshToken::new(Secret::new(text.as_str()));
    if let Some(subject) = &stored.subject {
        // OpenID Connect Core, section 12.2: the new ID token must be the same person's.
        refresh_token = refresh_token.with_subject(subject);
    }
    let client = discover(&query.client, dpop_key(stored)?).await?;
    query.reporter.note("Refreshing the stored token ...");
    let parameters = query.parameters(stored.granted.as_deref().unwrap_or_default());
    let refusal = match client.refresh(&refresh_token, &parameters).await {
        Ok(tokens) => return Ok(Some(refreshed_token(query, &client, &tokens, stored))),
        Err(Error::Refusal(refusal)) if refusal.ends_session() || refusal.needs_interaction() => {
            refusal
        }
        Err(error) => return Err(convert_error(&error, &query.client)),
    };
    if refusal.ends_session() {
        // It will never work again, and the next call should not try it.
        store.remove(|token| token.purpose == query.purpose)?;
    }
    if query.grant == Grant::Refresh {
        return Err(convert_error(&Error::Refusal(refusal), &query.client));
    }
    let note = format!("The provider no longer accepts the refresh token: {refusal}.");
    query.reporter.note(&note);
    Ok(None)
}

/// The key that a stored token is bound to.
pub(super) fn dpop_key(token: &StoredToken) -> Result<Option<DpopKey>, CommandError> {
    let Some(text) = &token.dpop_key else {
        return Ok(None);
    };
    let key = match base64url::decode(text) {
        Ok(der) => DpopKey::from_pkcs8(&Zeroizing::new(der)).ok(),
        Err(_) => None,
    };
    match key {
        Some(key) => Ok(Some(key)),
        None => Err(
            CommandError::could_not_run("the key of the stored token cannot be read")
                .help("delete the token with `portcullis token clear`"),
        ),
    }
}

/// A new token, by the grant that fits.
async fn request_new(query: &TokenQuery) -> Result<StoredToken, CommandError> {
    let convert = |error: Error| convert_error(&error, &query.client);
    let began = now();
    let key = if query.purpose.dpop {
        Some(DpopKey::generate().map_err(convert)?)
    } else {
        None
    };
    let client = discover(&query.client, key).await?;
    let metadata = client.provider().metadata().await.map_err(convert)?;
    let (flow, reason) = choose(&circumstances(query, metadata))?;
    let note = format!("Requesting a token {}: {reason}.", flow.describe());
    query.reporter.note(&note);
    let tokens = request_by(flow, query, &client, metadata).await?;
    let withheld = tokens.withheld_scope().to_string();
    // Without `--scope`, the scopes were our own suggestion.
    if !withheld.is_empty() && !query.purpose.scope.is_empty() {
        let note = format!("The provider did not grant: {withheld}.");
        query.reporter.note(&note);
    }
    Ok(new_token(query, &client, &tokens, began))
}

fn circumstances(query: &TokenQuery, metadata: &ServerMetadata) -> Circumstances {
    Circumstances {
        grant: query.grant,
        has_credentials: query.client.has_credentials(),
        has_subject_token: query.subject_token.is_some(),
        for_person: query.sign_in.is_any_given(),
        has_code_grant: metadata.authorization_endpoint().is_some(),
        has_device_grant: metadata.device_authorization_endpoint().is_some(),
        has_terminal: std::io::stderr().is_terminal(),
        has_browser: browser::is_likely(),
    }
}

async fn request_by(
    flow: GrantFlow,
    query: &TokenQuery,
    client: &Client,
    metadata: &ServerMetadata,
) -> Result<TokenResponse, CommandError> {
    let parameters = query.parameters(&query.purpose.scope);
    let tokens = match (flow, &query.subject_token) {
        (GrantFlow::ClientCredentials, _) => client.client_credentials(&parameters).await,
        (GrantFlow::Exchange, Some((token, _))) => client.exchange(token, None, &parameters).await,
        (GrantFlow::OnBehalfOf, Some((_, text))) => client.on_behalf_of(text, &parameters).await,
        (GrantFlow::Device, _) => {
            return sign_in::device::sign_in(query, client, metadata).await;
        }
        (GrantFlow::Code | GrantFlow::Exchange | GrantFlow::OnBehalfOf, _) => {
            return sign_in::code::sign_in(query, client, metadata).await;
        }
    };
    tokens.map_err(|error| convert_error(&error, &query.client))
}

fn new_token(
    query: &TokenQuery,
    client: &Client,
    tokens: &TokenResponse,
    began: i64,
) -> StoredToken {
    let mut token = to_stored(query, client, tokens);
    // The flow's beginning, not its end: `--max-age` errs on the side of asking again.
    if token.signed_in.is_none() && query.purpose.holder == Holder::User {
        token.signed_in = Some(began);
    }
    token
}

fn refreshed_token(
    query: &TokenQuery,
    client: &Client,
    tokens: &TokenResponse,
    previous: &StoredToken,
) -> StoredToken {
    let mut token = to_stored(query, client, tokens);
    token.signed_in = token.signed_in.or(previous.signed_in);
    if token.id_token.is_none() {
        // The provider need not issue a new one, and a logout needs it as a hint.
        token.id_token.clone_from(&previous.id_token);
        token.id_token_expires = previous.id_token_expires;
        token.subject.clone_from(&previous.subject);
    }
    token
}

/// What the response says, in the form of the store.
fn to_stored(query: &TokenQuery, client: &Client, tokens: &TokenResponse) -> StoredToken {
    let (access_token, id_token) = (tokens.access_token(), tokens.id_token());
    let scope = tokens.scope().to_string();
    StoredToken {
        purpose: query.purpose.clone(),
        access_token: secret_text(access_token.expose()),
        token_type: access_token.kind().scheme().to_owned(),
        refresh_token: tokens
            .refresh_token()
            .map(|token| secret_text(token.expose())),
        id_token: id_token.map(|token| secret_text(token.expose())),
        granted: (!scope.is_empty()).then_some(scope),
        // The person may have signed in long before, in another window of the browser.
        signed_in: date_claim(id_token, "auth_time"),
        obtained: now(),
        expires: Some(access_token.expires_at().seconds()),
        id_token_expires: date_claim(id_token, "exp"),
        subject: id_token.map(|token| token.subject().to_owned()),
        dpop_key: client.dpop_key().map(key_text),
    }
}

fn secret_text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn key_text(key: &DpopKey) -> Zeroizing<String> {
    Zeroizing::new(base64url::encode(&key.to_pkcs8()))
}

fn date_claim(id_token: Option<&IdToken>, name: &str) -> Option<i64> {
    let date = NumericDate::from_json(id_token?.claim(name)?)?;
    Some(date.seconds())
}
