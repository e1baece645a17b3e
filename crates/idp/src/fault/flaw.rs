//! Tokens that are wrong on command, although a flow gave them: what becomes of a provider's
//! mistakes?

use crate::token::kind::FlowToken;
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

impl Flaw {
    /// Those that have a name, with what they are for people.
    pub(crate) const NAMES: [(&'static str, &'static str); 6] = [
        ("expired", "expired an hour ago"),
        ("not-yet-valid", "valid in an hour"),
        ("wrong-key", "signed by another key, under the right name"),
        ("unsigned", "not signed at all (alg none)"),
        ("hmac", "signed with the public key as an HMAC secret"),
        ("flipped", "one bit of the signature is wrong"),
    ];

    /// The flaw of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Expired,
            Self::NotYetValid,
            Self::WrongKey,
            Self::Unsigned,
            Self::HmacWithPublicKey,
            Self::SignatureFlipped,
        ];
        all.into_iter().find(|flaw| flaw.name() == Some(name))
    }

    /// Its name; none for those of one claim or header member.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Expired => Some("expired"),
            Self::NotYetValid => Some("not-yet-valid"),
            Self::WrongKey => Some("wrong-key"),
            Self::Unsigned => Some("unsigned"),
            Self::HmacWithPublicKey => Some("hmac"),
            Self::SignatureFlipped => Some("flipped"),
            Self::Claim(..) | Self::NoClaim(_) | Self::Header(..) | Self::NoHeader(_) => None,
        }
    }
}

/// The flaws that are wanted of the tokens that flows give.
#[derive(Debug, Default)]
pub(crate) struct Flaws(Mutex<OrderedFlaws>);

#[derive(Debug, Default)]
struct OrderedFlaws {
    access: Vec<Flaw>,
    next_access: Vec<Flaw>,
    id: Vec<Flaw>,
    next_id: Vec<Flaw>,
}

impl Flaws {
    /// For every token of a kind, until they are set anew.
    pub(crate) fn set(&self, kind: FlowToken, flaws: Vec<Flaw>) {
        let mut wanted = self.lock();
        match kind {
            FlowToken::Access => wanted.access = flaws,
            FlowToken::Id => wanted.id = flaws,
        }
    }

    /// What is wanted of every token of a kind.
    pub(crate) fn of(&self, kind: FlowToken) -> Vec<Flaw> {
        let wanted = self.lock();
        match kind {
            FlowToken::Access => wanted.access.clone(),
            FlowToken::Id => wanted.id.clone(),
        }
    }

    /// For the next token of a kind alone.
    pub(crate) fn set_next(&self, kind: FlowToken, flaws: Vec<Flaw>) {
        let mut wanted = self.lock();
        match kind {
            FlowToken::Access => wanted.next_access = flaws,
            FlowToken::Id => wanted.next_id = flaws,
        }
    }

    /// What is wanted of the token that is made now; the flaws of the next token are used up.
    pub(crate) fn take(&self, kind: FlowToken) -> Vec<Flaw> {
        let mut wanted = self.lock();
        let (all, next) = match kind {
            FlowToken::Access => (
                wanted.access.clone(),
                std::mem::take(&mut wanted.next_access),
            ),
            FlowToken::Id => (wanted.id.clone(), std::mem::take(&mut wanted.next_id)),
        };
        // The flaws of the next token come on top of the standing ones.
        [all, next].concat()
    }

    fn lock(&self) -> MutexGuard<'_, OrderedFlaws> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_a_flaw() {
        for (name, _) in Flaw::NAMES {
            assert_eq!(
                Flaw::from_name(name).and_then(|flaw| flaw.name()),
                Some(name)
            );
        }
        assert_eq!(Flaw::from_name("none"), None);
    }
}
