//! The path of a request in the one spelling that is both matched and forwarded (RFC 3986, section 6.2.2).
//!
//! Escapes of characters that need none are undone and the rest is written in capitals. Refused is what servers
//! behind a gateway read in more than one way: dot segments, empty segments, escaped slashes, backslashes, path
//! parameters behind a semicolon, double escapes, control characters, bytes that are not UTF-8. Nothing is
//! resolved, cut or guessed. Whether the case of letters matters is for the upstream to say, and not seen here.

use percent_encoding::percent_decode_str;
use std::fmt;

/// A path that has only one reading. It begins with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath(String);

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathFault {
    /// It does not begin with a slash.
    Relative,
    /// A segment is `.` or `..`, plain or escaped, or begins like one.
    DotSegment,
    /// Two slashes in a row.
    EmptySegment,
    /// A slash or a backslash that is escaped, or a backslash.
    HiddenSlash,
    /// A semicolon, plain or escaped.
    Semicolon,
    /// An escape that is not `%` and two hexadecimal digits.
    Escape,
    /// An escaped percent sign before what would be an escape.
    DoubleEscape,
    /// A control character, or one that a path may not hold.
    Character,
    /// Escaped bytes that are not UTF-8.
    Utf8,
}

impl NormalPath {
    /// Reads the path of a request target, without its query.
    ///
    /// # Errors
    ///
    /// What makes it ambiguous.
    pub fn parse(written: &str) -> Result<Self, PathFault> {
        let mut path = String::with_capacity(written.len());
        let mut segments = written.strip_prefix('/').ok_or(PathFault::Relative)?.split('/').peekable();
        let mut beyond_ascii = false;
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_some() {
                return Err(PathFault::EmptySegment);
            }
            path.push('/');
            let start = path.len();
            beyond_ascii |= normalise(segment, &mut path)?;
            check_segment(path.get(start..).unwrap_or_default())?;
        }
        if beyond_ascii && percent_decode_str(&path).decode_utf8().is_err() {
            return Err(PathFault::Utf8);
        }
        Ok(Self(path))
    }

    /// The path as it is forwarded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands between the slashes. A final slash makes no difference.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let inner = self.0.trim_matches('/');
        inner.split('/').take(if inner.is_empty() { 0 } else { usize::MAX })
    }
}

/// Writes a segment in its one spelling; whether it holds escapes beyond ASCII.
fn normalise(segment: &str, path: &mut String) -> Result<bool, PathFault> {
    let mut beyond_ascii = false;
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let escaped = escaped(&mut bytes)?;
                match escaped {
                    b'/' | b'\\' => return Err(PathFault::HiddenSlash),
                    b';' => return Err(PathFault::Semicolon),
                    0..=0x1f | 0x7f => return Err(PathFault::Character),
                    _ if is_unreserved(escaped) => path.push(char::from(escaped)),
                    _ => {
                        beyond_ascii |= !escaped.is_ascii();
                        path.push_str(percent_encoding::percent_encode_byte(escaped));
                    }
                }
            }
            b'\\' => return Err(PathFault::HiddenSlash),
            b';' => return Err(PathFault::Semicolon),
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@' => {
                path.push(char::from(byte));
            }
            _ if is_unreserved(byte) => path.push(char::from(byte)),
            _ => return Err(PathFault::Character),
        }
    }
    Ok(beyond_ascii)
}

/// The byte that two hexadecimal digits stand for.
fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, PathFault> {
    let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(PathFault::Escape);
    let value = digit()? * 16 + digit()?;
    u8::try_from(value).map_err(|_| PathFault::Escape)
}

/// Looks at a segment in its one spelling: what it was made of may have been harmless by itself.
///
/// Refused is an escaped percent sign before two hexadecimal digits, and a segment that begins with one dot or two and
/// goes on with nothing, or with something that servers cut off.
fn check_segment(segment: &str) -> Result<(), PathFault> {
    let is_escape = |rest: &str| escaped(&mut rest.bytes()).is_ok();
    if segment.match_indices("%25").any(|(at, sign)| segment.get(at + sign.len()..).is_some_and(is_escape)) {
        return Err(PathFault::DoubleEscape);
    }
    let after_one = segment.strip_prefix('.');
    let after_two = segment.strip_prefix("..");
    let ends = |rest: &str| rest.bytes().next().is_none_or(|byte| !is_unreserved(byte));
    if after_one.is_some_and(ends) || after_two.is_some_and(ends) {
        return Err(PathFault::DotSegment);
    }
    Ok(())
}

const fn is_unreserved(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relative => "a path that does not begin with a slash",
            Self::DotSegment => "a dot segment",
            Self::EmptySegment => "an empty segment",
            Self::HiddenSlash => "a backslash, or an escaped slash",
            Self::Semicolon => "a semicolon",
            Self::Escape => "a malformed escape",
            Self::DoubleEscape => "a double escape",
            Self::Character => "a character that has no place in a path",
            Self::Utf8 => "escapes that are not UTF-8",
        })
    }
}

#[cfg(test)]
mod tests;
