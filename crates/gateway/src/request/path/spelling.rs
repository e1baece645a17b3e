//! One segment of a path, in its one spelling.

use crate::refusal::PathFault;
use percent_encoding::{AsciiSet, percent_encode_byte, utf8_percent_encode};
use std::borrow::Cow;

/// An escaped slash in the normal spelling.
const SLASH: &str = "%2F";
/// No character of ASCII.
const NONE: &AsciiSet = &AsciiSet::EMPTY;

/// The kinds of bytes that a segment holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SegmentContent {
    pub(super) beyond_ascii: bool,
    pub(super) escaped_slash: bool,
}

/// Writes a segment in its one spelling.
pub(super) fn normalise(segment: &str, path: &mut String) -> Result<SegmentContent, PathFault> {
    let mut content = SegmentContent::default();
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let (byte, is_escaped) = if byte == b'%' {
            (unescape(&mut bytes)?, true)
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
                content.beyond_ascii |= !byte.is_ascii();
                content.escaped_slash |= byte == b'/';
                path.push_str(percent_encode_byte(byte));
            }
        }
    }
    Ok(content)
}

/// The byte that two hexadecimal digits stand for.
fn unescape(bytes: &mut std::str::Bytes<'_>) -> Result<u8, PathFault> {
    let high = hex_digit(bytes.next())?;
    let low = hex_digit(bytes.next())?;
    Ok(high * 16 + low)
}

fn hex_digit(byte: Option<u8>) -> Result<u8, PathFault> {
    match byte {
        Some(byte @ b'0'..=b'9') => Ok(byte - b'0'),
        Some(byte @ b'a'..=b'f') => Ok(byte - b'a' + 10),
        Some(byte @ b'A'..=b'F') => Ok(byte - b'A' + 10),
        _ => Err(PathFault::Escape),
    }
}

/// Checks a segment in its one spelling: its parts may have been harmless by themselves.
///
/// An escaped percent sign before two hexadecimal digits is refused, and so is a dot segment, even
/// one between escaped slashes.
pub(super) fn check_segment(segment: &str) -> Result<(), PathFault> {
    for (at, sign) in segment.match_indices("%25") {
        let rest = segment.get(at + sign.len()..).unwrap_or_default();
        // A server that decodes twice would see the inner escape.
        if unescape(&mut rest.bytes()).is_ok() {
            return Err(PathFault::DoubleEscape);
        }
    }
    if segment.split(SLASH).any(is_dot_segment) {
        return Err(PathFault::DotSegment);
    }
    Ok(())
}

/// Whether a segment begins with one or two dots and nothing follows, or a character at which
/// servers cut.
fn is_dot_segment(segment: &str) -> bool {
    for dots in ["..", "."] {
        let Some(rest) = segment.strip_prefix(dots) else {
            continue;
        };
        // Some servers cut a segment at such a character, and only the dots are left.
        if !rest.bytes().next().is_some_and(is_unreserved) {
            return true;
        }
    }
    false
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
