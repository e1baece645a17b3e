//! The text of a JSON string: most are short, and short ones need no memory of their own.

use smol_str::SmolStr;
use std::fmt;
use std::ops::Deref;

// Up to 23 bytes stand in the value itself: most names, ids and scopes do.
/// A text out of a JSON document. Clones are cheap.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(SmolStr);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Shows its length only: texts come from tokens, and tokens do not go to logs.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of {} bytes", self.len())
    }
}
