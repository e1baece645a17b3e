//! A document as a tree, read from YAML or JSON.
//!
//! A map keeps the order of the document, and refuses a name that it has already: of two
//! `security` members, readers take different ones. Numbers are kept as text, so that no example in
//! a schema can be too large for the reader.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// A value of the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    /// A number, a boolean or null, as it would be written.
    Plain(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Node {
    /// A member of a map. No other node has members.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let members = self.members()?;
        let found = members.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    /// The members of a map, in the order of the document.
    pub(crate) fn members(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The elements of a list.
    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// A text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What a fault says was found.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Plain(text) => text.clone(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

fn plain<E>(value: impl fmt::Display) -> Result<Node, E> {
    Ok(Node::Plain(value.to_string()))
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        plain(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        plain(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        plain(value)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        plain(value)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        plain(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        // `3.0` is a version that somebody wrote without quotes; `{}` would make `3` of it.
        Ok(Node::Plain(format!("{value:?}")))
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Node, E> {
        plain("binary")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        plain("null")
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        plain("null")
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Node, D::Error> {
        Node::deserialize(inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!(
                    "the name {name:?} twice in a map"
                )));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Node::Map(members))
    }
}
