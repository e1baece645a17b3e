//! Members, elements and variants, one after another. A fault learns its place on the way out.

use super::read_fault::ReadFault;
use portcullis_core::jose::json::{Json, Object};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

/// The reader of one value, which makes those of the values in it.
pub(super) trait Descent<'j>: Deserializer<'j, Error = ReadFault> + Copy {
    /// The reader of another value.
    fn at(self, json: &'j Json) -> Self;
}

pub(super) struct Elements<'j, R> {
    reader: R,
    elements: &'j [Json],
    next: usize,
}

impl<'j, R> Elements<'j, R> {
    pub(super) fn new(reader: R, elements: &'j [Json]) -> Self {
        Self {
            reader,
            elements,
            next: 0,
        }
    }

    /// How many elements nobody took.
    pub(super) fn rest(&self) -> usize {
        self.elements.len().saturating_sub(self.next)
    }
}

impl<'j, R: Descent<'j>> SeqAccess<'j> for Elements<'j, R> {
    type Error = ReadFault;

    fn next_element_seed<S: DeserializeSeed<'j>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadFault> {
        let Some(element) = self.elements.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        match seed.deserialize(self.reader.at(element)) {
            Ok(value) => Ok(Some(value)),
            Err(fault) => Err(fault.inside_element(index)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest())
    }
}

pub(super) struct Members<'j, R, I> {
    reader: R,
    members: I,
    current: Option<(&'j str, &'j Json)>,
}

pub(super) fn members<'j, R>(
    reader: R,
    object: &'j Object,
) -> Members<'j, R, impl Iterator<Item = (&'j str, &'j Json)>> {
    Members {
        reader,
        members: object.iter(),
        current: None,
    }
}

impl<'j, R, I> MapAccess<'j> for Members<'j, R, I>
where
    R: Descent<'j>,
    I: Iterator<Item = (&'j str, &'j Json)>,
{
    type Error = ReadFault;

    fn next_key_seed<S: DeserializeSeed<'j>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadFault> {
        self.current = self.members.next();
        let Some((name, _)) = self.current else {
            return Ok(None);
        };
        match seed.deserialize(Name(name)) {
            Ok(key) => Ok(Some(key)),
            Err(fault) => Err(fault.inside_member(name)),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'j>>(&mut self, seed: S) -> Result<S::Value, ReadFault> {
        let Some((name, value)) = self.current.take() else {
            return Err(ReadFault::custom("a value without its name"));
        };
        match seed.deserialize(self.reader.at(value)) {
            Ok(value) => Ok(value),
            Err(fault) => Err(fault.inside_member(name)),
        }
    }
}

/// A variant by its name alone, or an object of one member: its name and its content.
pub(super) struct EnumReader<'j, R> {
    reader: R,
    name: &'j str,
    content: Option<&'j Json>,
}

impl<'j, R: Descent<'j>> EnumReader<'j, R> {
    pub(super) fn new(reader: R, json: &'j Json) -> Option<Self> {
        let (name, content) = match json {
            Json::String(name) => (&**name, None),
            Json::Object(object) if object.len() == 1 => {
                let (name, content) = object.iter().next()?;
                (name, Some(content))
            }
            _ => return None,
        };
        Some(Self {
            reader,
            name,
            content,
        })
    }

    /// A fault of the content is inside the member that names the variant.
    fn place<T>(&self, value: Result<T, ReadFault>) -> Result<T, ReadFault> {
        match value {
            Err(fault) if self.content.is_some() => Err(fault.inside_member(self.name)),
            value => value,
        }
    }

    fn content(&self) -> Result<R, ReadFault> {
        match self.content {
            Some(content) => Ok(self.reader.at(content)),
            None => Err(ReadFault::invalid_type(
                Unexpected::UnitVariant,
                &"a variant with content",
            )),
        }
    }
}

impl<'j, R: Descent<'j>> EnumAccess<'j> for EnumReader<'j, R> {
    type Error = ReadFault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'j>>(self, seed: S) -> Result<(S::Value, Self), ReadFault> {
        let variant = seed.deserialize(Name(self.name));
        Ok((self.place(variant)?, self))
    }
}

impl<'j, R: Descent<'j>> VariantAccess<'j> for EnumReader<'j, R> {
    type Error = ReadFault;

    fn unit_variant(self) -> Result<(), ReadFault> {
        match self.content {
            None => Ok(()),
            Some(content) => self.place(<()>::deserialize(self.reader.at(content))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'j>>(self, seed: S) -> Result<S::Value, ReadFault> {
        let value = seed.deserialize(self.content()?);
        self.place(value)
    }

    fn tuple_variant<V: Visitor<'j>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        let value = self.content()?.deserialize_tuple(length, visitor);
        self.place(value)
    }

    fn struct_variant<V: Visitor<'j>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        let value = self.content()?.deserialize_struct("", fields, visitor);
        self.place(value)
    }
}

/// The name of a member: a text, or a number where a map's keys are numbers.
struct Name<'j>(&'j str);

impl<'j> Deserializer<'j> for Name<'j> {
    type Error = ReadFault;

    fn deserialize_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'j>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'j>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadFault> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    fn deserialize_u64<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        match self.0.parse() {
            Ok(number) if is_decimal(self.0) => visitor.visit_u64(number),
            _ => visitor.visit_borrowed_str(self.0),
        }
    }

    fn deserialize_i64<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        match self.0.parse() {
            Ok(number) if is_decimal(self.0) => visitor.visit_i64(number),
            _ => visitor.visit_borrowed_str(self.0),
        }
    }

    fn deserialize_u8<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i8<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i16<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i32<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, ReadFault> {
        self.deserialize_i64(visitor)
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'j>>
        bool i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// One spelling of each number: `07` and `7` would be two members of one key.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits == "0" || !digits.starts_with('0');
    is_plain && text != "-0" && digits.bytes().all(|byte| byte.is_ascii_digit())
}
