//! Scopes (RFC 6749, section 3.3): whole tokens, compared with case, never by prefix.
//!
//! A text that is no scope token is ignored. The array element `"read admin"` would be one
//! scope here, and two for an upstream that reads our scope string.

use crate::jose::json::Text;
use std::fmt;

/// The set of scopes a token holds, in the order it holds them. Each is a scope token, so that
/// [`parse`](Self::parse) reads back what is displayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Box<[Text]>);

impl Scopes {
    /// Reads a scope string. Only the space separates; texts that are no scope tokens are ignored.
    pub fn parse(text: &str) -> Self {
        text.split(' ').collect()
    }

    /// Whether a text is one scope token: printable ASCII without space, quote and backslash, and
    /// not empty.
    pub fn is_token(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(is_scope_character)
    }

    /// Whether this scope is among them. There are no wildcards.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|held| held == scope)
    }

    /// Whether the set is empty.
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
        let mut tokens = Vec::new();
        for scope in scopes {
            if Self::is_token(scope) {
                tokens.push(Text::from(scope));
            }
        }
        Self(tokens.into_boxed_slice())
    }
}

/// `NQCHAR` of RFC 6749, appendix A: printable ASCII without space, quote and backslash.
fn is_scope_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

impl fmt::Display for Scopes {
    /// The scope string: the scopes with one space between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One space each, so that `parse` reads back the same scopes.
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
