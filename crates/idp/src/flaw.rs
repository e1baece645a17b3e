//! Tokens that are wrong on command, although a flow gave them: what becomes of a provider's mistakes?

use crate::dialect::Kind;
use crate::mint::TokenBuilder;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is wrong with a token.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Flaw {
    /// This claim has another value, or is there though it should not be.
    Claim(String, Value),
    /// This claim is missing.
    NoClaim(String),
    /// This header member has another value.
    Header(String, Value),
    /// This header member is missing.
    NoHeader(String),
    /// It expired an hour ago.
    Expired,
    /// It is valid in an hour.
    NotYetValid,
    /// Another key signed it, under the right name.
    WrongKey,
    /// It is not signed, and says so.
    Unsigned,
    /// The public key was taken for an HMAC secret.
    HmacWithPublicKey,
    /// One bit of the signature is wrong.
    SignatureFlipped,
}

/// The flaws that are wanted of the tokens that flows give.
#[derive(Debug, Default)]
pub(crate) struct Flaws(Mutex<Wanted>);

#[derive(Debug, Default)]
struct Wanted {
    access: Vec<Flaw>,
    next_access: Vec<Flaw>,
    id: Vec<Flaw>,
    next_id: Vec<Flaw>,
}

impl Flaws {
    /// For every token of a kind, until they are set anew.
    pub(crate) fn set(&self, kind: Kind, flaws: Vec<Flaw>) {
        let mut wanted = self.wanted();
        match kind {
            Kind::Access => wanted.access = flaws,
            Kind::Id => wanted.id = flaws,
        }
    }

    /// For the next token of a kind alone.
    pub(crate) fn set_next(&self, kind: Kind, flaws: Vec<Flaw>) {
        let mut wanted = self.wanted();
        match kind {
            Kind::Access => wanted.next_access = flaws,
            Kind::Id => wanted.next_id = flaws,
        }
    }

    /// The token with what is wanted.
    pub(crate) fn on(&self, kind: Kind, token: TokenBuilder) -> TokenBuilder {
        let mut wanted = self.wanted();
        let (all, next) = match kind {
            Kind::Access => (wanted.access.clone(), std::mem::take(&mut wanted.next_access)),
            Kind::Id => (wanted.id.clone(), std::mem::take(&mut wanted.next_id)),
        };
        drop(wanted);
        all.into_iter().chain(next).fold(token, TokenBuilder::flawed)
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
