//! `portcullis token`: an access token from any identity provider, by whatever grant fits.
//!
//! What is kept and still good is printed without asking anybody; what can be renewed is renewed;
//! else the client proves itself, or a person signs in. Only the result goes to standard output.
//! Secrets come from files and the environment, never from the command line, and none is printed.

mod choice;
mod kept;
mod obtain;
mod party;
mod printed;
mod sign_in;
mod sign_in_request;
mod trouble;
mod voice;
mod wanted;

pub(crate) use kept::open_store;
pub(crate) use party::Party;
pub(crate) use trouble::failure;
pub(crate) use voice::Voice;

use crate::args::{RequestArguments, TokenAction, TokenArguments};
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::store::{Entry, Holder, Keeping};
use portcullis_client::{AccessToken, Client, Secret, TokenKind};
use portcullis_core::token::NumericDate;
use printed::Printed;
use std::time::SystemTime;
use wanted::Wanted;

pub(crate) async fn run(arguments: TokenArguments) -> Result<Exit, Failure> {
    if let Some(action) = arguments.action {
        return match action {
            TokenAction::List { kept, json } => kept::list(kept.store, json).await,
            TokenAction::Clear {
                kept,
                issuer,
                client_id,
                ..
            } => kept::clear(kept.store, issuer, client_id).await,
        };
    }
    // What could not be printed is not asked for.
    let printed = Printed::read(&arguments.output, |name| std::env::var(name).ok())?;
    printed.check(arguments.request.dpop)?;
    let obtained = Obtained::by(arguments.request, printed.prefers_id_token()).await?;
    print(&printed.text(&obtained.entry, now())?)?;
    Ok(Exit::Fine)
}

/// A token, and whose it is.
pub(crate) struct Obtained {
    pub(crate) party: Party,
    entry: Entry,
}

impl Obtained {
    /// The token that these arguments ask for: kept, renewed or new.
    ///
    /// # Errors
    ///
    /// Everything that keeps it from being had.
    pub(crate) async fn by(arguments: RequestArguments, id_token: bool) -> Result<Self, Failure> {
        let keeping = if arguments.no_store {
            Some(Keeping::None)
        } else {
            arguments.kept.store
        };
        let store = open_store(keeping).await?;
        let wanted = Wanted::read(arguments, id_token, store.as_deref())?;
        let entry = obtain::obtain(&wanted, store).await?;
        Ok(Self {
            party: wanted.party,
            entry,
        })
    }

    /// The token that these arguments ask for, and not this one, which an API did not take: a kept
    /// one that is another, or one of a new sign-in.
    ///
    /// # Errors
    ///
    /// As [`by`](Self::by).
    pub(crate) async fn instead_of(self, arguments: RequestArguments) -> Result<Self, Failure> {
        let keeping = if arguments.no_store {
            Some(Keeping::None)
        } else {
            arguments.kept.store
        };
        let store = open_store(keeping).await?;
        let wanted =
            Wanted::read(arguments, false, store.as_deref())?.without(self.entry.access_token);
        let entry = obtain::obtain(&wanted, store).await?;
        Ok(Self {
            party: wanted.party,
            entry,
        })
    }

    /// Whether it speaks for a person, who could sign in once more.
    pub(crate) fn is_a_persons(&self) -> bool {
        self.entry.asked.holder == Holder::User
    }

    /// Whether it is bound to a key.
    pub(crate) fn is_bound(&self) -> bool {
        self.entry.dpop_key.is_some()
    }

    /// The client with the key that the token is bound to, and the token, for calling with it.
    ///
    /// # Errors
    ///
    /// What is kept is broken.
    pub(crate) fn bound_client(&self) -> Result<(Client, AccessToken), Failure> {
        let client = self.party.client(obtain::key_of(&self.entry)?)?;
        let kind = if client.dpop_key().is_some() {
            TokenKind::Dpop
        } else {
            TokenKind::Bearer
        };
        let ends = NumericDate::from_seconds(self.entry.expires.unwrap_or_default());
        let token = AccessToken::restore(Secret::new(self.entry.access_token.as_str()), kind, ends);
        Ok((client, token.map_err(|error| failure(&error, &self.party))?))
    }
}

/// The time, in seconds since 1970.
pub(crate) fn now() -> i64 {
    NumericDate::from(SystemTime::now()).seconds()
}
