//! Tokens that are wrong on command, although a flow gave them: what becomes of a provider's
//! mistakes?

use crate::token::kind::FlowToken;
use serde_json::Value;
use std::collections::HashMap;
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
    /// It is for another audience.
    WrongAudience,
    /// Another issuer is named in it.
    WrongIssuer,
    /// It names a key that is not published.
    UnknownKey,
    /// Its `typ` is that of an access token. Of logout tokens and events.
    WrongType,
    /// It has the `jti` of the one before. Of logout tokens and events.
    Replayed,
    /// It has no `jti`. Of logout tokens and events.
    NoIdentifier,
    /// It has no `events`. Of logout tokens and events.
    NoEvents,
    /// It has two events. Of logout tokens and events.
    TwoEvents,
    /// It says nothing about whom it is: no `sub_id`, or neither `sub` nor `sid`. Of logout tokens
    /// and events.
    NoSubject,
    /// It has a million characters more. Of logout tokens and events.
    Oversized,
    /// It has a `nonce`, as an ID token has. Of logout tokens.
    Nonce,
    /// It has an `exp`. Of events.
    Expiry,
    /// It has a `sub`. Of events.
    TopLevelSubject,
    /// What it tells happens in an hour. Of events.
    FutureEvent,
}

/// A flaw that has a name.
pub(crate) struct NamedFlaw {
    flaw: Flaw,
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) label: &'static str,
    /// The kinds of token that can have it.
    kinds: &'static [FlowToken],
}

const TOKENS: &[FlowToken] = &[FlowToken::Access, FlowToken::Id];

const EXPIRING: &[FlowToken] = &[FlowToken::Access, FlowToken::Id, FlowToken::Logout];

const SENT: &[FlowToken] = &[FlowToken::Logout, FlowToken::Event];

const LOGOUT: &[FlowToken] = &[FlowToken::Logout];

const EVENT: &[FlowToken] = &[FlowToken::Event];

const NAMED: &[NamedFlaw] = &[
    name_flaw(Flaw::Expired, "expired", "expired an hour ago", EXPIRING),
    name_flaw(
        Flaw::NotYetValid,
        "not-yet-valid",
        "valid in an hour",
        TOKENS,
    ),
    name_flaw(
        Flaw::WrongKey,
        "wrong-key",
        "signed by another key, under the right name",
        &FlowToken::ALL,
    ),
    name_flaw(
        Flaw::Unsigned,
        "unsigned",
        "not signed at all (alg none)",
        &FlowToken::ALL,
    ),
    name_flaw(
        Flaw::HmacWithPublicKey,
        "hmac",
        "signed with the public key as an HMAC secret",
        &FlowToken::ALL,
    ),
    name_flaw(
        Flaw::SignatureFlipped,
        "flipped",
        "one bit of the signature is wrong",
        &FlowToken::ALL,
    ),
    name_flaw(
        Flaw::WrongAudience,
        "wrong-audience",
        "for another audience",
        &FlowToken::ALL,
    ),
    name_flaw(
        Flaw::WrongIssuer,
        "wrong-issuer",
        "of another issuer",
        &FlowToken::ALL,
    ),
    name_flaw(
        Flaw::UnknownKey,
        "unknown-key",
        "names a key that is not published",
        &FlowToken::ALL,
    ),
    name_flaw(
        Flaw::WrongType,
        "wrong-type",
        "has the typ of an access token",
        SENT,
    ),
    name_flaw(
        Flaw::Replayed,
        "replayed",
        "has the jti of the one before",
        SENT,
    ),
    name_flaw(Flaw::NoIdentifier, "no-jti", "has no jti", SENT),
    name_flaw(Flaw::NoEvents, "no-events", "has no events", SENT),
    name_flaw(Flaw::TwoEvents, "two-events", "has two events", SENT),
    name_flaw(Flaw::NoSubject, "no-subject", "names no subject", SENT),
    name_flaw(
        Flaw::Oversized,
        "oversized",
        "has a million characters more",
        SENT,
    ),
    name_flaw(Flaw::Nonce, "nonce", "has a nonce, as an ID token", LOGOUT),
    name_flaw(Flaw::Expiry, "exp", "has an exp", EVENT),
    name_flaw(Flaw::TopLevelSubject, "sub", "has a sub", EVENT),
    name_flaw(
        Flaw::FutureEvent,
        "future",
        "tells what happens in an hour",
        EVENT,
    ),
];

const fn name_flaw(
    flaw: Flaw,
    name: &'static str,
    label: &'static str,
    kinds: &'static [FlowToken],
) -> NamedFlaw {
    NamedFlaw {
        flaw,
        name,
        label,
        kinds,
    }
}

impl Flaw {
    /// The flaws with a name that a kind of token can have.
    pub(crate) fn all_for(kind: FlowToken) -> impl Iterator<Item = &'static NamedFlaw> {
        NAMED.iter().filter(move |it| it.kinds.contains(&kind))
    }

    /// The flaw of that name, for a kind of token.
    pub(crate) fn from_name(kind: FlowToken, name: &str) -> Option<Self> {
        let found = Self::all_for(kind).find(|it| it.name == name)?;
        Some(found.flaw.clone())
    }

    /// The names for a kind of token, with commas between.
    pub(crate) fn names(kind: FlowToken) -> String {
        let names: Vec<&str> = Self::all_for(kind).map(|it| it.name).collect();
        names.join(", ")
    }

    /// What is wrong, for people.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Claim(name, _) => format!("claim {name} changed"),
            Self::NoClaim(name) => format!("claim {name} left out"),
            Self::Header(name, _) => format!("header {name} changed"),
            Self::NoHeader(name) => format!("header {name} left out"),
            _ => self
                .of_table()
                .map(|it| it.label.to_owned())
                .unwrap_or_default(),
        }
    }

    /// Its name; none for those of one claim or header member.
    pub(crate) fn name(&self) -> Option<&'static str> {
        Some(self.of_table()?.name)
    }

    fn of_table(&self) -> Option<&'static NamedFlaw> {
        NAMED.iter().find(|it| it.flaw == *self)
    }
}

/// The flaws that are wanted of the tokens that the provider issues and sends.
#[derive(Debug, Default)]
pub(crate) struct Flaws(Mutex<OrderedFlaws>);

#[derive(Debug, Default)]
struct OrderedFlaws {
    all: HashMap<FlowToken, Vec<Flaw>>,
    next: HashMap<FlowToken, Vec<Flaw>>,
}

impl Flaws {
    /// For every token of a kind, until they are set anew.
    pub(crate) fn set(&self, kind: FlowToken, flaws: Vec<Flaw>) {
        self.lock().all.insert(kind, flaws);
    }

    /// What is wanted of every token of a kind.
    pub(crate) fn of(&self, kind: FlowToken) -> Vec<Flaw> {
        self.lock().all.get(&kind).cloned().unwrap_or_default()
    }

    /// For the next token of a kind alone.
    pub(crate) fn set_next(&self, kind: FlowToken, flaws: Vec<Flaw>) {
        self.lock().next.insert(kind, flaws);
    }

    /// What is wanted of the token that is made now; the flaws of the next token are used up.
    pub(crate) fn take(&self, kind: FlowToken) -> Vec<Flaw> {
        let mut wanted = self.lock();
        let all = wanted.all.get(&kind).cloned().unwrap_or_default();
        let next = wanted.next.remove(&kind).unwrap_or_default();
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
    fn every_name_is_that_of_one_flaw() {
        for kind in FlowToken::ALL {
            for it in Flaw::all_for(kind) {
                let flaw = Flaw::from_name(kind, it.name).unwrap();
                assert_eq!(
                    (flaw.name(), flaw.label()),
                    (Some(it.name), it.label.to_owned())
                );
            }
            assert_eq!(Flaw::from_name(kind, "none"), None);
        }
        assert_eq!(Flaw::from_name(FlowToken::Access, "nonce"), None);
        assert_eq!(Flaw::from_name(FlowToken::Event, "expired"), None);
    }
}
