//! What was wrong with a JSON text, and where.

use std::fmt;

/// Why a text is not the JSON we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonFault {
    pub(super) kind: JsonFaultKind,
    pub(super) at: usize,
}

/// The kinds of fault, without their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFaultKind {
    /// Not UTF-8 (RFC 8259, section 8.1).
    NotUtf8,
    /// Not the grammar of RFC 8259.
    Syntax,
    /// An escape that is no Unicode scalar value, or unknown.
    Escape,
    /// A number that no `f64` can hold.
    NumberRange,
    /// The same member name twice in one object (RFC 8725, section 2.4; RFC 7519, section 4).
    RepeatedMember,
    /// Nested deeper than the limit.
    TooDeep,
    /// More values than the limit.
    TooMany,
    /// Longer than the limit.
    TooLong,
}

impl JsonFault {
    /// The kind of fault.
    pub fn kind(&self) -> JsonFaultKind {
        self.kind
    }

    /// The byte at which it was noticed.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            JsonFaultKind::NotUtf8 => "not UTF-8",
            JsonFaultKind::Syntax => "not valid JSON",
            JsonFaultKind::Escape => "an escape that is no character",
            JsonFaultKind::NumberRange => "a number out of range",
            JsonFaultKind::RepeatedMember => "a member name repeated in one object",
            JsonFaultKind::TooDeep => "nested too deep",
            JsonFaultKind::TooMany => "too many values",
            JsonFaultKind::TooLong => "too long",
        };
        write!(f, "{what} (at byte {})", self.at)
    }
}

impl std::error::Error for JsonFault {}
