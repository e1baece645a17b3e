//! A JSON value, read and owned.

use super::Text;
use std::fmt;

/// One JSON value.
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Text),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Object),
}

// As an `f64` alone, two large ids could become one.
/// A JSON number: an integer if it is written as one and fits, else a finite float.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer literal within `i64`.
    Integer(i64),
    /// An integer literal above `i64`, within `u64`.
    Unsigned(u64),
    /// Everything else, always finite.
    Float(f64),
}

// A vector is smaller than a map, and its positions can be remembered.
/// A JSON object: members in the order written, names unique.
#[derive(Clone, Default, PartialEq)]
pub struct Object {
    pub(super) members: Vec<(Text, Json)>,
}

impl Json {
    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one written as an integer within `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(Number::Integer(integer)) => Some(*integer),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The name of this value's JSON type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl Object {
    /// The value of this member. Names compare after unescaping, with case.
    pub fn get(&self, name: &str) -> Option<&Json> {
        // Objects in tokens are small: a map would cost more to build than it saves.
        for (held, value) in &self.members {
            if **held == *name {
                return Some(value);
            }
        }
        None
    }

    /// The members in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.members
            .iter()
            .map(|(name, value)| (&**name, value))
    }

    /// The value of the member at this place in the order written.
    pub(crate) fn at(&self, place: u32) -> Option<&Json> {
        let (_, value) = self.members.get(usize::try_from(place).ok()?)?;
        Some(value)
    }

    /// The same object, with the members of `other` that are absent or `null` here.
    #[must_use]
    pub fn filled_by(mut self, other: Self) -> Self {
        for (name, value) in other.members {
            match self.members.iter_mut().find(|(held, _)| *held == name) {
                None => self.members.push((name, value)),
                Some((_, held)) if matches!(held, Json::Null) => *held = value,
                Some(_) => {}
            }
        }
        self
    }

    /// The same object, in no more memory than it needs.
    pub(crate) fn without_room(mut self) -> Self {
        self.members.shrink_to_fit();
        self
    }

    /// An object of these members, or nothing if two have one name.
    pub fn new(members: impl IntoIterator<Item = (Text, Json)>) -> Option<Self> {
        let members: Vec<(Text, Json)> = members.into_iter().collect();
        let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        let is_repeated = names
            .windows(2)
            .any(|pair| pair.first() == pair.last());
        (!is_repeated).then_some(Self { members })
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(integer: i64) -> Self {
        Self::Number(Number::Integer(integer))
    }
}

/// Shows the type only: values come from tokens, and tokens do not go to logs.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())
    }
}

/// Shows the number of members only.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of {} members", self.members.len())
    }
}
