//! What a route demands: nothing, or a token that meets all of several demands.

use super::super::openapi::demand::ScopeSets;
use std::collections::BTreeSet;

/// The demand of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RouteDemand {
    Public,
    /// A token that meets each of these; any valid one if there are none.
    Token(BTreeSet<ScopeSets>),
}

impl RouteDemand {
    /// A valid token is enough.
    pub(crate) fn valid_token() -> Self {
        Self::Token(BTreeSet::new())
    }

    /// A token with one of these sets of scopes.
    pub(crate) fn token(sets: ScopeSets) -> Self {
        match sets.is_valid_token() {
            true => Self::valid_token(),
            false => Self::Token([sets].into()),
        }
    }

    /// Both demands.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let (Self::Token(one), Self::Token(another)) = (self, other) else {
            return match self {
                Self::Public => other.clone(),
                Self::Token(_) => self.clone(),
            };
        };
        let all: BTreeSet<ScopeSets> = one.union(another).cloned().collect();
        let mut kept = all.clone();
        for sets in &all {
            // What follows from another demand is met with it.
            kept.retain(|it| it == sets || !sets.implies(it) || it.implies(sets) && it < sets);
        }
        Self::Token(kept)
    }

    /// Whether it lets nobody pass whom the other one stops. A `false` may be wrong, for demands
    /// that imply another one only together.
    pub(crate) fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Public) => true,
            (Self::Public, Self::Token(_)) => false,
            (Self::Token(own), Self::Token(others)) => others
                .iter()
                .all(|other| own.iter().any(|sets| sets.implies(other))),
        }
    }
}
