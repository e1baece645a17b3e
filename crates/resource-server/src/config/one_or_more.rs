//! A setting with one value or several: a list is not needed for one.

use serde::{Deserialize, Deserializer};

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected one value, or a list of them")]
pub enum OneOrMore<T> {
    /// One.
    One(T),
    /// A list.
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    /// The values as a list.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::More(values) => values,
        }
    }

    /// The values, one by one.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::More(values) => values,
        }
    }
}

/// Reads a list that may be written as its only value.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    OneOrMore::deserialize(deserializer).map(OneOrMore::into_vec)
}

impl From<&str> for OneOrMore<String> {
    fn from(text: &str) -> Self {
        Self::One(text.to_owned())
    }
}
