//! One segment of a path, in its one spelling.

use super::PathFault;
use percent_encoding::{AsciiSet, percent_encode_byte, utf8_percent_encode};
use std::borrow::Cow;

/// An escaped slash in the normal spelling.
const SLASH: &str = "%2F";
/// No character of ASCII.
const NONE: &AsciiSet = &AsciiSet::EMPTY;

/// What a segment holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) beyond_ascii: bool,
    pub(super) escaped_slash: bool,
}

/// Writes a segment in its one spelling.
pub(super) fn normalise(segment: &str, path: &mut String) -> Result<Seen, PathFault> {
    let mut seen = Seen::default();
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let (byte, is_escaped) = if byte == b'%' {
            (escaped(&mut bytes)?, true)
        } else {
            (byte, false)
        };
        match byte {
            b'\\' => return Err(PathFault::HiddenSlash),
            b';' => return Err(PathFault::Semicolon),
            0..=0x1f | 0x7f => return Err(PathFault::Character),
            _ if is_plain(byte) => path.push(char::from(byte)),
            // Where they are not escaped, a space ends a request line, `?` and `#` end a path, and
            // raw bytes beyond ASCII are Latin-1 for some servers and UTF-8 for others.
            b' ' | b'?' | b'#' | b'/' | 0x80.. if !is_escaped => return Err(PathFault::Character),
            _ => {
                seen.beyond_ascii |= !byte.is_ascii();
                seen.escaped_slash |= byte == b'/';
                path.push_str(percent_encode_byte(byte));
            }
        }
    }
    Ok(seen)
}

/// The byte that two hexadecimal digits stand for.
fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, PathFault> {
    let mut digit = || {
        bytes
            .next()
            .and_then(|byte| char::from(byte).to_digit(16))
            .ok_or(PathFault::Escape)
    };
    let value = digit()? * 16 + digit()?;
    u8::try_from(value).map_err(|_| PathFault::Escape)
}

/// Looks at a segment in its one spelling: what it was made of may have been harmless by itself.
///
/// Refused is an escaped percent sign before two hexadecimal digits, and a dot segment, between
/// escaped slashes too.
pub(super) fn check_segment(segment: &str) -> Result<(), PathFault> {
    let is_escape = |rest: &str| escaped(&mut rest.bytes()).is_ok();
    if segment
        .match_indices("%25")
        .any(|(at, sign)| segment.get(at + sign.len()..).is_some_and(is_escape))
    {
        return Err(PathFault::DoubleEscape);
    }
    if segment.split(SLASH).any(is_dot_segment) {
        Err(PathFault::DotSegment)
    } else {
        Ok(())
    }
}

/// Whether a segment begins with one dot or two and goes on with nothing, or with something that
/// servers cut off.
fn is_dot_segment(segment: &str) -> bool {
    let ends = |rest: &str| rest.bytes().next().is_none_or(|byte| !is_unreserved(byte));
    ["..", "."]
        .iter()
        .any(|dots| segment.strip_prefix(dots).is_some_and(ends))
}

/// A character that a segment holds plainly (RFC 3986, `pchar`), except for the semicolon.
const fn is_plain(byte: u8) -> bool {
    let is_sub_delimiter = matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'='
    );
    is_unreserved(byte) || is_sub_delimiter || matches!(byte, b':' | b'@')
}

const fn is_unreserved(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

/// A text with the characters beyond ASCII escaped as UTF-8.
pub(super) fn escape_beyond_ascii(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, NONE).into()
}
