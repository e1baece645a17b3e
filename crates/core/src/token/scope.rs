//! Scopes (RFC 6749, section 3.3): whole tokens, compared with case, never by prefix.

use crate::jose::json::Text;
use std::fmt;

/// The set of scopes a token holds, in the order it holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Box<[Text]>);

impl Scopes {
    /// Reads a scope string. Only the space separates; empty tokens count for nothing.
    pub fn parse(text: &str) -> Self {
        text.split(' ').collect()
    }

    /// Whether this scope is among them. There are no wildcards.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|held| **held == *scope)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|scope| &**scope)
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        Self(scopes.into_iter().filter(|scope| !scope.is_empty()).map(Into::into).collect())
    }
}

impl fmt::Display for Scopes {
    /// The scope string: the scopes with one space between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            write!(f, "{}{scope}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_tokens_only() {
        let scopes = Scopes::parse(" orders:read  orders:write orders:read ");
        assert_eq!(scopes.to_string(), "orders:read orders:write orders:read");
        assert!(scopes.contains("orders:write"));
        assert!(!scopes.contains("orders"));
        assert!(!scopes.contains(""));
        assert!(!scopes.is_empty() && Scopes::parse("  ").is_empty());
    }
}
