//! `portcullis token`: an access token from any identity provider, by whatever grant fits.
//!
//! A stored token that is still valid is printed without a request, and an expired one is
//! refreshed. Otherwise the client authenticates, or a person signs in. Only the result goes to
//! standard output. Secrets come from files and the environment, and are never printed.

mod grant;
mod list;
mod obtain;
mod output;
mod request;
mod resource;
mod sign_in;

use crate::args::{RequestArguments, TokenAction, TokenArguments};
use crate::client::{ClientIdentity, connect, convert_error};
use crate::clock::now;
use crate::exit::{CommandError, Exit};
use crate::output::print;
use crate::ownership;
use crate::reporter::Reporter;
use crate::store::{Holder, StoreKind, StoredToken, open_store};
use output::TokenOutput;
use portcullis_client::{Client, IssuedToken, Secret, TokenKind};
use portcullis_core::token::NumericDate;
use request::TokenQuery;

pub(crate) async fn run(arguments: TokenArguments) -> Result<Exit, CommandError> {
    match arguments.action {
        Some(TokenAction::List { store, json }) => return list::list(store.store, json).await,
        Some(TokenAction::Clear {
            store,
            issuer,
            client_id,
            ..
        }) => return list::clear(store.store, issuer, client_id).await,
        None => {}
    }
    // Checked first: nobody should sign in for a token that cannot be printed.
    let output = TokenOutput::read(&arguments.output)?;
    output.check(arguments.request.dpop)?;
    let reporter = Reporter {
        quiet: arguments.request.quiet,
    };
    let obtained = ObtainedToken::obtain(arguments.request, output.prefers_id_token()).await?;
    reporter.note(&ownership::describe(&obtained.token, now()));
    print(&output.render(&obtained.token, now())?)?;
    Ok(Exit::Fine)
}

/// A token, and the client that it was issued to.
pub(crate) struct ObtainedToken {
    pub(crate) client: ClientIdentity,
    token: StoredToken,
}

impl ObtainedToken {
    /// The token that these arguments request: a stored, a refreshed or a new one.
    ///
    /// # Errors
    ///
    /// Wrong arguments, a store that cannot be read, and everything that a provider may answer.
    pub(crate) async fn obtain(
        arguments: RequestArguments,
        id_token: bool,
    ) -> Result<Self, CommandError> {
        let arguments = resource::resolve(arguments).await?;
        let store = open_store(store_argument(&arguments)).await?;
        let query = TokenQuery::read(arguments, id_token, store.as_deref())?;
        let token = obtain::obtain(&query, store).await?;
        let client = query.client;
        Ok(Self { client, token })
    }

    /// A token for these arguments other than this one, which an API refused: another stored one,
    /// or one of a new sign-in.
    ///
    /// # Errors
    ///
    /// As [`obtain`](Self::obtain).
    pub(crate) async fn replace(self, arguments: RequestArguments) -> Result<Self, CommandError> {
        let arguments = resource::resolve(arguments).await?;
        let store = open_store(store_argument(&arguments)).await?;
        // An API takes access tokens only, so no ID token is needed.
        let query = TokenQuery::read(arguments, false, store.as_deref())?;
        let query = query.except(self.token.access_token);
        let token = obtain::obtain(&query, store).await?;
        let client = query.client;
        Ok(Self { client, token })
    }

    /// The scopes that the token has, as far as that is known.
    pub(crate) fn scopes(&self) -> &str {
        let purpose = &self.token.purpose.scope;
        self.token.granted.as_deref().unwrap_or(purpose)
    }

    /// Whether the token represents a person, who could sign in again.
    pub(crate) fn is_for_person(&self) -> bool {
        self.token.purpose.holder == Holder::User
    }

    /// Whether the token is bound to a key.
    pub(crate) fn is_bound(&self) -> bool {
        self.token.dpop_key.is_some()
    }

    /// The client, with the key that the token is bound to, and the token, to call an API with.
    ///
    /// # Errors
    ///
    /// A stored key or token that is damaged.
    pub(crate) fn bound_client(&self) -> Result<(Client, IssuedToken), CommandError> {
        let client = connect(&self.client, obtain::dpop_key(&self.token)?)?;
        let kind = if client.dpop_key().is_some() {
            TokenKind::Dpop
        } else {
            TokenKind::Bearer
        };
        let secret = Secret::new(self.token.access_token.as_str());
        let expires = NumericDate::from_seconds(self.token.expires.unwrap_or_default());
        match IssuedToken::restore(secret, kind, expires) {
            Ok(token) => Ok((client, token)),
            Err(error) => Err(convert_error(&error, &self.client)),
        }
    }
}

/// `--no-store` is `--store none`.
fn store_argument(arguments: &RequestArguments) -> Option<StoreKind> {
    if arguments.no_store {
        Some(StoreKind::None)
    } else {
        arguments.store.store
    }
}
