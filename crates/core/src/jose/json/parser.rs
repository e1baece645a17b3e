//! The reader: one pass over the bytes, top-down.

use super::{Json, JsonFault, JsonFaultKind, Number, Object, Text};
use crate::Limits;
use JsonFaultKind::{Escape, NotUtf8, NumberRange, RepeatedMember, Syntax, TooDeep, TooMany};

/// Reads one JSON document, whole.
///
/// # Errors
///
/// The first fault met, with its place.
pub fn parse(document: &[u8], limits: &Limits) -> Result<Json, JsonFault> {
    let text = std::str::from_utf8(document).map_err(|error| JsonFault {
        kind: NotUtf8,
        at: error.valid_up_to(),
    })?;
    // One pass over the whole document, without a branch, so that no string has to look again.
    let mut control = false;
    for byte in document {
        control |= *byte < 0x20;
    }
    let mut reader = JsonReader {
        text,
        at: 0,
        values_left: limits.json_values,
        depth: limits.json_depth,
        control,
    };
    let value = reader.value(limits.json_depth)?;
    reader.skip_whitespace();
    if reader.at == text.len() {
        Ok(value)
    } else {
        Err(reader.fault(Syntax))
    }
}

struct JsonReader<'t> {
    text: &'t str,
    at: usize,
    values_left: usize,
    depth: usize,
    /// Whether the document holds control characters: white space, or a fault in a string.
    control: bool,
}

impl<'t> JsonReader<'t> {
    fn value(&mut self, depth_left: usize) -> Result<Json, JsonFault> {
        // Counted before it is read, so that a million zeros in an array end early.
        let Some(values_left) = self.values_left.checked_sub(1) else {
            return Err(self.fault(TooMany));
        };
        self.values_left = values_left;
        self.skip_whitespace();
        match self.peek() {
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'{') => self.object(self.deeper(depth_left)?),
            Some(b'[') => self.array(self.deeper(depth_left)?),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.fault(Syntax)),
        }
    }

    fn object(&mut self, depth_left: usize) -> Result<Json, JsonFault> {
        let outermost = depth_left + 1 == self.depth;
        let mut members = Vec::with_capacity(if outermost { ROOM } else { 0 });
        let mut names = NameFilter::default();
        self.at += 1;
        self.skip_whitespace();
        if self.take(b'}') {
            return Ok(Json::Object(Object::default()));
        }
        loop {
            self.skip_whitespace();
            if self.peek() != Some(b'"') {
                return Err(self.fault(Syntax));
            }
            let name = self.string()?;
            self.skip_whitespace();
            self.expect(b':')?;
            // Two members of one name are two readings of a token (RFC 8725, section 2.4).
            if members.len() < FEW && names.may_hold(&name) && has_name(&members, &name) {
                return Err(self.fault(RepeatedMember));
            }
            members.push((name, self.value(depth_left)?));
            self.skip_whitespace();
            if self.take(b'}') {
                break;
            }
            self.expect(b',')?;
        }
        if members.len() > FEW && has_repeated_name(&members) {
            return Err(self.fault(RepeatedMember));
        }
        if !outermost {
            members.shrink_to_fit();
        }
        Ok(Json::Object(Object { members }))
    }

    fn array(&mut self, depth_left: usize) -> Result<Json, JsonFault> {
        let mut elements = Vec::new();
        self.at += 1;
        self.skip_whitespace();
        if self.take(b']') {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth_left)?);
            self.skip_whitespace();
            if self.take(b']') {
                elements.shrink_to_fit();
                return Ok(Json::Array(elements));
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<Text, JsonFault> {
        self.at += 1;
        let plain = self.plain_run()?;
        if self.take(b'"') {
            return Ok(plain.into());
        }
        let mut unescaped = plain.to_owned();
        loop {
            self.at += 1; // the backslash: a plain run ends at nothing else but a quote
            unescaped.push(self.escape()?);
            unescaped.push_str(self.plain_run()?);
            if self.take(b'"') {
                return Ok(unescaped.into());
            }
        }
    }

    /// Everything up to the next quote or backslash.
    fn plain_run(&mut self) -> Result<&'t str, JsonFault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let Some(length) = memchr::memchr2(b'"', b'\\', rest) else {
            return Err(self.fault(Syntax));
        };
        let run = self
            .text
            .get(self.at..self.at + length)
            .unwrap_or_default();
        if self.control && run.bytes().any(|byte| byte < 0x20) {
            return Err(self.fault(Syntax));
        }
        self.at += length;
        Ok(run)
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        let escaped = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.fault(Escape)),
        };
        self.at += 1;
        Ok(escaped)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonFault> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return self.scalar(first);
        }
        // Half of a pair alone is no character: readers differ in what they put in its place.
        if !(self.take(b'\\') && self.take(b'u')) {
            return Err(self.fault(Escape));
        }
        let second = self.code_unit()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.fault(Escape));
        }
        self.scalar(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn scalar(&self, value: u32) -> Result<char, JsonFault> {
        char::from_u32(value).ok_or(self.fault(Escape))
    }

    /// Four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, JsonFault> {
        let fault = self.fault(Escape);
        let digits = self.text.get(self.at..self.at + 4).ok_or(fault)?;
        // `from_str_radix` alone would take a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| fault)
    }

    fn number(&mut self) -> Result<Json, JsonFault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut integer = true;
        if self.take(b'.') {
            self.digits()?;
            integer = false;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
            integer = false;
        }
        let literal = self.text.get(start..self.at).unwrap_or_default();
        number_of(literal, integer)
            .map(Json::Number)
            .ok_or(JsonFault {
                kind: NumberRange,
                at: start,
            })
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.fault(Syntax))
        } else {
            Ok(())
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonFault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.fault(Syntax));
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_whitespace(&mut self) {
        // RFC 8259, section 2, knows these four and no others.
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.fault(Syntax))
        }
    }

    fn deeper(&self, depth_left: usize) -> Result<usize, JsonFault> {
        depth_left.checked_sub(1).ok_or(self.fault(TooDeep))
    }

    fn fault(&self, kind: JsonFaultKind) -> JsonFault {
        JsonFault { kind, at: self.at }
    }
}

fn number_of(literal: &str, integer: bool) -> Option<Number> {
    // `-0` is a float: no integer keeps its sign.
    if integer && literal != "-0" {
        if let Ok(number) = literal.parse() {
            return Some(Number::Integer(number));
        }
        if let Ok(number) = literal.parse() {
            return Some(Number::Unsigned(number));
        }
    }
    let float: f64 = literal.parse().ok()?;
    float.is_finite().then_some(Number::Float(float))
}

/// Room for so many members in the document itself: headers and claims seldom have more. Objects
/// and arrays inside take what they need, or a token full of small ones would hold a hundred times
/// its own size.
const ROOM: usize = 16;

/// Up to so many members, each new name is compared with those before; of more, all are sorted in
/// the end, so that objects with many members do not cost their square.
const FEW: usize = 32;

fn has_name(members: &[(Text, Json)], name: &Text) -> bool {
    members.iter().any(|(earlier, _)| earlier == name)
}

fn has_repeated_name(members: &[(Text, Json)]) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    names
        .windows(2)
        .any(|pair| pair.first() == pair.last())
}

/// Which names an object may hold already: one bit for each of 256 kinds of name. Only names that
/// share a bit need to be compared.
#[derive(Default)]
struct NameFilter([u64; 4]);

impl NameFilter {
    /// Whether a name of this kind was there before. It counts as there from now on.
    fn may_hold(&mut self, name: &str) -> bool {
        // A poor hash will do: names that collide only cost a comparison each.
        let mut hash = name.len() as u64;
        for byte in name.bytes() {
            hash = hash.wrapping_mul(31).wrapping_add(byte.into());
        }
        let bit = 1 << (hash % 64);
        let Some(word) = self.0.get_mut((hash / 64 % 4) as usize) else {
            return true;
        };
        let held = *word & bit != 0;
        *word |= bit;
        held
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
