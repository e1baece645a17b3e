//! The values of a document as serde reads them, each knowing the way to it.
//!
//! `toml`'s own reader has each table compiled six times over: as a table, a list, a time and a
//! value with its place, for two kinds of value. Here it is once (decision 131).

use super::outline::{OutlineNode, Path, PathStep};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

/// Reads a document, or says where and why it cannot be read.
pub(super) fn read<T: DeserializeOwned>(table: &DeTable<'_>) -> Result<T, Misfit> {
    let members = Members::of(table, &Trail::Document);
    T::deserialize(MapAccessDeserializer::new(members))
}

/// What serde complains of.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The key or the value; none is the document itself.
    pub(super) node: Option<OutlineNode>,
    pub(super) message: String,
}

impl Misfit {
    /// Within what is told already, the outer one is not at fault.
    fn within(mut self, trail: &Trail<'_>, span: Range<usize>) -> Self {
        self.node.get_or_insert_with(|| OutlineNode {
            path: trail.path(),
            span,
        });
        self
    }
}

impl Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            node: None,
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

/// The way to a value, from it to the document: nothing is allocated until something is at fault.
#[derive(Debug)]
enum Trail<'v> {
    Document,
    Member(&'v Trail<'v>, &'v str),
    Element(&'v Trail<'v>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        let (around, step) = match self {
            Self::Document => return Path::default(),
            Self::Member(around, name) => (around, PathStep::Member((*name).to_owned())),
            Self::Element(around, index) => (around, PathStep::Element(*index)),
        };
        let mut path = around.path();
        path.0.push(step);
        path
    }
}

type Member<'v> = (&'v Spanned<DeString<'v>>, &'v Spanned<DeValue<'v>>);

/// The members of a table.
struct Members<'v> {
    around: &'v Trail<'v>,
    rest: Box<dyn Iterator<Item = Member<'v>> + 'v>,
    next: Option<Member<'v>>,
}

impl<'v> Members<'v> {
    fn of(table: &'v DeTable<'v>, around: &'v Trail<'v>) -> Self {
        Self {
            around,
            rest: Box::new(table.iter()),
            next: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        // Kept until its value is asked for: serde reads a member in two steps.
        self.next = self.rest.next();
        let Some((name, _)) = self.next else {
            return Ok(None);
        };
        let text: StrDeserializer<'_, Misfit> = name.get_ref().as_ref().into_deserializer();
        let known = seed.deserialize(text);
        let trail = Trail::Member(self.around, name.get_ref());
        known
            .map(Some)
            .map_err(|misfit| misfit.within(&trail, name.span()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((name, value)) = self.next.take() else {
            return Err(Misfit::custom("a value was read twice"));
        };
        let trail = Trail::Member(self.around, name.get_ref());
        let read = seed.deserialize(DocumentValue::of(value, &trail));
        read.map_err(|misfit| misfit.within(&trail, value.span()))
    }
}

/// The elements of a list.
struct Elements<'v> {
    around: &'v Trail<'v>,
    list: &'v DeArray<'v>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(value) = self.list.get(self.next) else {
            return Ok(None);
        };
        let trail = Trail::Element(self.around, self.next);
        self.next += 1;
        let read = seed.deserialize(DocumentValue::of(value, &trail));
        read.map(Some)
            .map_err(|misfit| misfit.within(&trail, value.span()))
    }
}

/// What a visitor makes of a value.
type Read<'de, V> = Result<<V as Visitor<'de>>::Value, Misfit>;

/// A value within a document.
struct DocumentValue<'v> {
    value: &'v DeValue<'v>,
    trail: &'v Trail<'v>,
}

impl<'v> DocumentValue<'v> {
    fn of(value: &'v Spanned<DeValue<'v>>, trail: &'v Trail<'v>) -> Self {
        Self {
            value: value.get_ref(),
            trail,
        }
    }

    fn unfit<'de, V: Visitor<'de>>(&self, visitor: &V) -> Misfit {
        let found = match self.value {
            DeValue::String(text) => Unexpected::Str(text),
            DeValue::Boolean(is_true) => Unexpected::Bool(*is_true),
            DeValue::Integer(_) => Unexpected::Other("integer"),
            DeValue::Float(_) => Unexpected::Other("floating point"),
            DeValue::Datetime(_) => Unexpected::Other("time"),
            DeValue::Array(_) => Unexpected::Seq,
            DeValue::Table(_) => Unexpected::Map,
        };
        Misfit::invalid_type(found, visitor)
    }
}

/// Each asks for what it may be and no more, so that no table is compiled as a list.
impl<'de> Deserializer<'de> for DocumentValue<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        match self.value {
            DeValue::String(_) => self.deserialize_str(visitor),
            DeValue::Boolean(_) => self.deserialize_bool(visitor),
            DeValue::Integer(_) => self.deserialize_i64(visitor),
            DeValue::Float(_) => self.deserialize_f64(visitor),
            DeValue::Array(_) => self.deserialize_seq(visitor),
            DeValue::Table(_) => self.deserialize_map(visitor),
            // No setting is a time. `toml` makes a table of it, with a member of its own.
            DeValue::Datetime(_) => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        match self.value {
            DeValue::Boolean(is_true) => visitor.visit_bool(*is_true),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        let DeValue::Integer(number) = self.value else {
            return Err(self.unfit(&visitor));
        };
        // What is larger fits no setting: the largest are seconds and bytes.
        match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => visitor.visit_i64(number),
            Err(_) => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        match self.value {
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(self.unfit(&visitor)),
            },
            // A share may be written as 1.
            _ => self.deserialize_i64(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        match self.value {
            DeValue::String(text) => visitor.visit_str(text),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        match self.value {
            DeValue::Array(list) => visitor.visit_seq(Elements {
                around: self.trail,
                list,
                next: 0,
            }),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        match self.value {
            DeValue::Table(table) => visitor.visit_map(Members::of(table, self.trail)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _members: &'static [&'static str],
        visitor: V,
    ) -> Read<'de, V> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Read<'de, V> {
        match self.value {
            // A variant without a value is written as its name, others as a table of one member.
            DeValue::String(text) => {
                let text: StrDeserializer<'_, Misfit> = text.as_ref().into_deserializer();
                visitor.visit_enum(text)
            }
            DeValue::Table(table) => {
                let members = Members::of(table, self.trail);
                visitor.visit_enum(MapAccessDeserializer::new(members))
            }
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<'de, V> {
        // What is not there is not read at all.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Read<'de, V> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        char u8 u16 u32 u64 u128 i8 i16 i32 i128 f32 bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        port: Option<u16>,
        share: Option<f64>,
        kind: Option<Kind>,
        #[serde(default)]
        list: Vec<Sample>,
        #[serde(default)]
        levels: BTreeMap<String, i64>,
        text: Option<OneOrMore>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Plain,
        Of(u64),
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum OneOrMore {
        One(String),
        More(Vec<bool>),
    }

    fn sample(text: &str) -> Result<Sample, Misfit> {
        read(DeTable::parse(text).unwrap().get_ref())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let read = sample(
            "name = 'a'\nport = 0x1F90\nshare = 1\nkind = 'plain'\ntext = [true]\nlevels = { x = -1_000 }\n\
             [[list]]\nname = 'b'\nshare = 0.5\nkind = { of = 7 }\ntext = 'c'\n",
        );
        let read = read.unwrap();
        assert_eq!((read.port, read.share), (Some(8080), Some(1.0)));
        assert_eq!(read.kind, Some(Kind::Plain));
        assert_eq!(read.text, Some(OneOrMore::More(vec![true])));
        assert_eq!(read.levels["x"], -1000);
        let [inner] = &read.list[..] else {
            panic!("{read:?}")
        };
        assert_eq!((inner.name.as_str(), inner.share), ("b", Some(0.5)));
        assert_eq!(inner.kind, Some(Kind::Of(7)));
        assert_eq!(inner.text, Some(OneOrMore::One("c".to_owned())));
    }

    /// The place, where it is in the text, and what is said.
    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        for (text, place, at, message) in [
            ("", "", "", "missing field `name`"),
            (
                "name = 1",
                "name",
                "1",
                "invalid type: integer, expected a string",
            ),
            (
                "name = 2026-11-30",
                "name",
                "2026-11-30",
                "invalid type: time, expected a string",
            ),
            (
                "name = 'a'\nport = 70000",
                "port",
                "70000",
                "invalid value: integer `70000`, expected u16",
            ),
            (
                "name = 'a'\nport = 99999999999999999999",
                "port",
                "99999999999999999999",
                "invalid type: integer, expected u16",
            ),
            (
                "name = 'a'\nlist = [{ name = 'b' }, { nam = 'c' }]",
                "list[1].nam",
                "nam",
                "unknown field `nam`, expected one of",
            ),
            (
                "name = 'a'\nlist = [{ port = 1 }]",
                "list[0]",
                "{ port = 1 }",
                "missing field `name`",
            ),
            (
                "name = 'a'\nlist = [['b']]",
                "list[0]",
                "['b']",
                "invalid type: sequence, expected struct Sample",
            ),
            (
                "name = 'a'\n[list]\nname = 'b'",
                "list",
                "[list]",
                "invalid type: map, expected a sequence",
            ),
            (
                "name = 'a'\nlevels.x = true",
                "levels.x",
                "true",
                "invalid type: boolean `true`, expected i64",
            ),
            (
                "name = 'a'\nkind = 'other'",
                "kind",
                "'other'",
                "unknown variant `other`, expected `plain` or `of`",
            ),
            (
                "name = 'a'\nkind = { of = -7 }",
                "kind.of",
                "-7",
                "invalid value: integer `-7`, expected u64",
            ),
            (
                "name = 'a'\ntext = [1]",
                "text",
                "[1]",
                "data did not match",
            ),
        ] {
            let misfit = sample(text).unwrap_err();
            let node = misfit.node.unwrap_or_default();
            assert_eq!(node.path.to_string(), place, "{text}");
            assert_eq!(text.get(node.span), Some(at), "{text}");
            assert!(misfit.message.starts_with(message), "{}", misfit.message);
        }
    }
}
