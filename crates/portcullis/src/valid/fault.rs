//! One fault of a request: its place, its kind and what the schema demands there.

use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// The longest name in a place, in characters. It may be the caller's.
const LONGEST_NAME: usize = 64;

/// One thing that is wrong with a request, in the form that FastAPI's clients know.
///
/// The message and its parts come from the schema of this server, never from the request. For
/// messages in other languages translate [`kind`](Self::kind), and fill in the bounds of
/// [`context`](Self::context).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestFault {
    #[serde(rename = "loc")]
    place: Vec<PlaceSegment>,
    #[serde(rename = "msg")]
    message: Cow<'static, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "ctx", skip_serializing_if = "Map::is_empty")]
    context: Map<String, Value>,
}

/// A step on the way to a value: the name of a member or parameter, or an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum PlaceSegment {
    /// The place of an element in an array, or of a byte in a body.
    Index(usize),
    /// The name of a member, of a parameter, or of the part of the request.
    Name(String),
}

impl RequestFault {
    pub(super) fn new(
        place: Vec<PlaceSegment>,
        kind: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            place,
            message: message.into(),
            kind,
            context: Map::new(),
        }
    }

    /// The same fault, with a bound of the schema.
    pub(super) fn with(mut self, name: &str, bound: impl Into<Value>) -> Self {
        self.context.insert(name.to_owned(), bound.into());
        self
    }

    /// Whether another fault breaks the same rule, in the same object or array. Whether a length is
    /// that of a text is not always known.
    pub(super) fn is_sibling(&self, other: &Self) -> bool {
        let parents = (self.place.split_last(), other.place.split_last());
        let (Some((_, parent)), Some((_, other_parent))) = parents else {
            return false;
        };
        let kinds = [self, other].map(|it| it.kind.trim_start_matches("string_"));
        let mut bounds = other.context.iter();
        let is_same_bound = bounds.all(|(name, bound)| self.context.get(name) == Some(bound));
        kinds[0] == kinds[1] && is_same_bound && parent == other_parent
    }

    /// Where: the part of the request (`body`, `query`, `path`), then names and indices (`loc`).
    pub fn place(&self) -> &[PlaceSegment] {
        &self.place
    }

    /// What, in English (`msg`).
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What, for programs: a type of pydantic 2, such as `missing` (`type`).
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The bounds that the message speaks of, by name (`ctx`).
    pub fn context(&self) -> &Map<String, Value> {
        &self.context
    }
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.place.iter().enumerate() {
            if number > 0 {
                f.write_char('.')?;
            }
            segment.fmt(f)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl PlaceSegment {
    /// A name that may be the caller's: it is cut, and cannot forge lines or columns of a log.
    pub(super) fn name(name: &str) -> Self {
        let mut plain = String::new();
        for character in name.chars().take(LONGEST_NAME) {
            if character.is_control() || is_invisible(character) {
                _ = write!(plain, "\\u{{{:x}}}", u32::from(character));
            } else {
                plain.push(character);
            }
        }
        if name.chars().nth(LONGEST_NAME).is_some() {
            plain.push('…');
        }
        Self::Name(plain)
    }
}

/// Characters that change how the text around them looks.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

impl fmt::Display for PlaceSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => index.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_plain() {
        let name = |text: &str| PlaceSegment::name(text).to_string();
        assert_eq!(name("quantity"), "quantity");
        assert_eq!(name("a\r\nb\u{1b}[0m"), "a\\u{d}\\u{a}b\\u{1b}[0m");
        assert_eq!(name("\u{202e}x"), "\\u{202e}x");
        assert_eq!(name(&"ä".repeat(64)), "ä".repeat(64));
        assert_eq!(name(&"ä".repeat(65)), format!("{}…", "ä".repeat(64)));
    }
}
