//! Why a value is none of a type: a place and a kind.

use super::super::fault::PlaceSegment;
use serde::de::{Error, Expected, Unexpected};
use std::fmt;

/// The first fault that serde met.
#[derive(Debug, PartialEq)]
pub(in super::super) struct ReadFault {
    /// From the inside out.
    reverse: Vec<PlaceSegment>,
    pub(in super::super) kind: ReadFaultKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum ReadFaultKind {
    /// Another type was expected.
    Type(Expectation),
    /// A member is missing: its place is the fault's.
    Missing,
    /// A member that the type does not have: its place is the fault's.
    Extra,
    /// Anything else: serde's words for it quote the value.
    Other,
}

/// The type that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Expectation {
    Integer,
    Float,
    Text,
    Bool,
    Sequence,
    Object,
    Other,
}

impl ReadFault {
    pub(super) fn inside_member(mut self, name: &str) -> Self {
        self.reverse.push(PlaceSegment::name(name));
        self
    }

    pub(super) fn inside_element(mut self, index: usize) -> Self {
        self.reverse.push(PlaceSegment::Index(index));
        self
    }

    /// Where, from the outside in.
    pub(in super::super) fn place(&self) -> impl Iterator<Item = &PlaceSegment> {
        self.reverse.iter().rev()
    }
}

impl From<ReadFaultKind> for ReadFault {
    fn from(kind: ReadFaultKind) -> Self {
        Self {
            reverse: Vec::new(),
            kind,
        }
    }
}

impl Expectation {
    /// By the words of serde's own visitors: they come from the type, not from the value.
    fn of(expected: &dyn Expected) -> Self {
        match expected.to_string().as_str() {
            "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => Self::Integer,
            "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => Self::Integer,
            "f32" | "f64" => Self::Float,
            "a string" | "string" | "a character" => Self::Text,
            "a boolean" => Self::Bool,
            "a sequence" | "a tuple" => Self::Sequence,
            "a map" => Self::Object,
            words if words.starts_with("struct ") => Self::Object,
            words if words.starts_with("a nonzero ") => Self::Integer,
            _ => Self::Other,
        }
    }
}

impl Error for ReadFault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        ReadFaultKind::Other.into()
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        ReadFaultKind::Type(Expectation::of(expected)).into()
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        // The name's reader adds the place.
        ReadFaultKind::Extra.into()
    }

    fn missing_field(name: &'static str) -> Self {
        Self::from(ReadFaultKind::Missing).inside_member(name)
    }
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for ReadFault {}
