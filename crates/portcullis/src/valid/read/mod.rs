//! From a JSON value to a type, by serde: strict about unknown members, and without echo.
//!
//! It refuses unknown members also in types without `deny_unknown_fields`, an array in the place of
//! an object, and all that serde refuses. Its faults hold a place and a kind, and no text of serde,
//! which quotes the value.
//!
//! It does not see unknown members in flattened, untagged and internally tagged types: serde reads
//! these into a buffer first. Then [`Reading::is_buffered`] is true, and the schema decides.

mod access;
mod read_fault;

pub(super) use read_fault::{Expectation, ReadFault, ReadFaultKind};

use access::{Descent, Elements, EnumReader, members};
use portcullis_core::jose::json::{Json, Number};
use serde::de::{DeserializeOwned, Deserializer, Error as _, Unexpected, Visitor};
use std::cell::Cell;

/// What reading brought.
#[derive(Debug)]
pub(super) struct Reading<T> {
    pub(super) value: Result<T, ReadFault>,
    /// Whether an object was read that serde may have kept in a buffer.
    pub(super) is_buffered: bool,
}

/// Whether members that the type does not have are a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnknownMembers {
    Refuse,
    Ignore,
}

/// Reads a value of the type.
pub(super) fn read<T: DeserializeOwned>(json: &Json, unknown: UnknownMembers) -> Reading<T> {
    let notes = Notes {
        unknown,
        is_buffered: Cell::new(false),
    };
    let value = T::deserialize(Reader {
        json,
        notes: &notes,
    });
    Reading {
        value,
        is_buffered: notes.is_buffered.get(),
    }
}

#[derive(Debug)]
struct Notes {
    unknown: UnknownMembers,
    is_buffered: Cell<bool>,
}

#[derive(Clone, Copy)]
struct Reader<'j, 'n> {
    json: &'j Json,
    notes: &'n Notes,
}

impl<'j> Descent<'j> for Reader<'j, '_> {
    fn at(self, json: &'j Json) -> Self {
        Self { json, ..self }
    }
}

impl<'j> Reader<'j, '_> {
    fn as_unexpected(self) -> Unexpected<'j> {
        match self.json {
            Json::Null => Unexpected::Unit,
            Json::Bool(value) => Unexpected::Bool(*value),
            Json::Number(Number::Integer(value)) => Unexpected::Signed(*value),
            Json::Number(Number::Unsigned(value)) => Unexpected::Unsigned(*value),
            Json::Number(Number::Float(value)) => Unexpected::Float(*value),
            Json::String(text) => Unexpected::Str(text),
            Json::Array(_) => Unexpected::Seq,
            Json::Object(_) => Unexpected::Map,
        }
    }

    /// For JSON Schema `5.0` is an integer, and so the schema of the type promises.
    fn visit_integer<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        match self.json {
            Json::Number(Number::Float(value)) => match integer_of(*value) {
                Some(integer) => visitor.visit_i64(integer),
                None => visitor.visit_f64(*value),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn visit_elements<V: Visitor<'j>>(
        self,
        elements: &'j [Json],
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        let mut access = Elements::new(self, elements);
        let value = visitor.visit_seq(&mut access)?;
        // A tuple takes no more than it has: the rest would be read by nobody.
        match access.rest() {
            0 => Ok(value),
            _ => Err(ReadFault::invalid_length(elements.len(), &"fewer elements")),
        }
    }
}

macro_rules! integers {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
                self.visit_integer(visitor)
            }
        )*
    };
}

impl<'j> Deserializer<'j> for Reader<'j, '_> {
    type Error = ReadFault;

    fn deserialize_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        match self.json {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(Number::Integer(value)) => visitor.visit_i64(*value),
            Json::Number(Number::Unsigned(value)) => visitor.visit_u64(*value),
            Json::Number(Number::Float(value)) => visitor.visit_f64(*value),
            Json::String(text) => visitor.visit_borrowed_str(text),
            Json::Array(elements) => self.visit_elements(elements, visitor),
            Json::Object(object) => {
                // The visitor may be a buffer, whose reader ignores members out of our sight.
                self.notes.is_buffered.set(true);
                visitor.visit_map(members(self, object))
            }
        }
    }

    fn deserialize_option<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        match self.json {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'j>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'j>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        match self.json {
            Json::Object(object) => visitor.visit_map(members(self, object)),
            _ => Err(ReadFault::invalid_type(self.as_unexpected(), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'j>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        match EnumReader::new(self, self.json) {
            Some(reader) => visitor.visit_enum(reader),
            None => Err(ReadFault::invalid_type(self.as_unexpected(), &visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        match self.notes.unknown {
            // Whoever ignores a value does not know its member.
            UnknownMembers::Refuse => Err(ReadFault::from(ReadFaultKind::Extra)),
            UnknownMembers::Ignore => visitor.visit_unit(),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'j>>
        bool f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier
    }
}

/// The integer that a float is. Beyond 53 bits a float stands for several.
fn integer_of(value: f64) -> Option<i64> {
    const LAST_EXACT: f64 = 9_007_199_254_740_992.0;
    let is_integer = value.fract() == 0.0 && value.abs() <= LAST_EXACT;
    is_integer.then_some(value as i64)
}

#[cfg(test)]
mod tests;
