//! What an operation demands: scopes of a token, nothing, or what the document does not say.

use std::collections::BTreeSet;
use std::fmt;

/// Sets of scopes, of which a token needs one. The empty set asks for a valid token only.
///
/// A set that holds another one adds nothing: whoever has the larger one has the smaller one. So
/// they are kept without it, and two demands that mean the same are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScopeSets(BTreeSet<BTreeSet<String>>);

impl ScopeSets {
    /// One of these is enough; without any, a valid token is.
    pub(crate) fn any_of(sets: impl IntoIterator<Item = BTreeSet<String>>) -> Self {
        let all: BTreeSet<BTreeSet<String>> = sets.into_iter().collect();
        let mut kept = BTreeSet::new();
        for set in &all {
            let mut others = all.iter().filter(|other| *other != set);
            if !others.any(|other| other.is_subset(set)) {
                kept.insert(set.clone());
            }
        }
        if kept.is_empty() {
            return Self::valid_token();
        }
        Self(kept)
    }

    /// A valid token is enough.
    pub(crate) fn valid_token() -> Self {
        Self([BTreeSet::new()].into())
    }

    /// The sets, each by its scopes.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &BTreeSet<String>> {
        self.0.iter()
    }

    /// Whether a token with these scopes is enough.
    pub(crate) fn is_met_by(&self, scopes: &BTreeSet<String>) -> bool {
        self.0.iter().any(|set| set.is_subset(scopes))
    }

    /// Whether every token that meets this demand meets the other one.
    pub(crate) fn implies(&self, other: &Self) -> bool {
        self.0.iter().all(|set| other.is_met_by(set))
    }

    /// Whether a valid token is enough.
    pub(crate) fn is_valid_token(&self) -> bool {
        self.0.iter().any(BTreeSet::is_empty)
    }
}

impl fmt::Display for ScopeSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_valid_token() {
            return f.write_str("a valid token");
        }
        for (index, set) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            let scopes: Vec<&str> = set.iter().map(String::as_str).collect();
            let scopes = scopes.join("` and `");
            match (set.len(), self.0.len()) {
                (1, _) | (_, 1) => write!(f, "scope `{scopes}`")?,
                _ => write!(f, "(scope `{scopes}`)")?,
            }
        }
        Ok(())
    }
}

/// What the document demands of the callers of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// The document has no `security` for it.
    Silent,
    /// Nothing: `security: []`.
    Public,
    /// A token, or none at all: `{}` is among the alternatives.
    Optional(ScopeSets),
    /// A token.
    Token(ScopeSets),
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("no `security`"),
            Self::Public => f.write_str("public"),
            Self::Optional(sets) => write!(f, "{sets}, if there is a token"),
            Self::Token(sets) => sets.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample_tests::sets;
    use super::*;

    #[test]
    fn a_larger_set_adds_nothing() {
        assert_eq!(sets("a|a+b|c"), sets("c|a"));
        assert_eq!(sets("a+b|"), ScopeSets::valid_token());
        assert_ne!(sets("a|b"), sets("a+b"));
        assert_eq!(ScopeSets::any_of([]), ScopeSets::valid_token());
    }

    #[test]
    fn a_demand_implies_what_its_tokens_meet() {
        for (one, other, expected) in [
            ("a", "a", true),
            ("a", "", true),
            ("", "a", false),
            ("a+b", "a", true),
            ("a", "a+b", false),
            ("a", "a|b", true),
            ("a|b", "a", false),
            ("a+c|b+c", "c", true),
            ("a|b", "b|a|c", true),
        ] {
            assert_eq!(sets(one).implies(&sets(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn demands_are_readable() {
        assert_eq!(sets("").to_string(), "a valid token");
        assert_eq!(sets("a").to_string(), "scope `a`");
        assert_eq!(sets("a+b").to_string(), "scope `a` and `b`");
        assert_eq!(
            sets("a|b+c").to_string(),
            "scope `a` or (scope `b` and `c`)"
        );
    }
}
