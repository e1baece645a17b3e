//! Scopes (RFC 6749, section 3.3): whole tokens, compared with case, never by prefix.
//!
//! A text that is no scope token counts for nothing. An element of an array such as `"read admin"`
//! would else be one scope here, and two for whoever reads the scope string that we write of it.

use crate::jose::json::Text;
use std::fmt;

/// The set of scopes a token holds, in the order it holds them. Each is a scope token, so that
/// [`parse`](Self::parse) reads back what is displayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Box<[Text]>);

impl Scopes {
    /// Reads a scope string. Only the space separates; what is no scope token counts for nothing.
    pub fn parse(text: &str) -> Self {
        text.split(' ').collect()
    }

    /// Whether a text is one scope token: printable ASCII without space, quote and backslash, and
    /// not empty.
    pub fn is_token(text: &str) -> bool {
        let fits = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        !text.is_empty() && text.bytes().all(fits)
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
        Self(
            scopes
                .into_iter()
                .filter(|scope| Self::is_token(scope))
                .map(Into::into)
                .collect(),
        )
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
    fn what_is_displayed_is_read_back() {
        let list = [
            "a",
            "read admin",
            "b\tc",
            "d\u{a0}e",
            "\u{2028}",
            "f\"",
            "g\\",
            "h\n",
            "\u{e4}",
            "",
            " ",
            "i,j",
            "!#[]~",
        ];
        let scopes: Scopes = list.into_iter().collect();
        assert_eq!(scopes.iter().collect::<Vec<_>>(), ["a", "i,j", "!#[]~"]);
        assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
        assert_eq!(Scopes::parse("a b\tc d").to_string(), "a d");
    }

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
