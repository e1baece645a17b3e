//! The path of a request in the one spelling that is both matched and forwarded.
//! `docs/gateway/paths.md` has the rule.
//!
//! Two spellings are one path if their segments decode to the same bytes, one by one. The normal
//! spelling writes each of these bytes plainly where RFC 3986 lets a segment hold it (section 3.3,
//! `pchar`), and escaped in capitals elsewhere. Printable characters that a path may not hold, such
//! as `[` and `|`, are escaped: browsers send them, and one reading is left.
//!
//! Refused is what servers read in more than one way: dot segments, empty segments, backslashes,
//! semicolons, double escapes, control characters, spaces, raw bytes beyond ASCII, escapes that are
//! not UTF-8. A [`RequestPath`] may hold escaped slashes; only with the word of its route it
//! becomes a [`NormalPath`]. Nothing is resolved or cut. Not seen are differences that some
//! upstreams ignore: the case of letters, Unicode normalisation, final dots and spaces.

mod spelling;

use percent_encoding::percent_decode_str;
use spelling::{check_segment, normalise};
use std::fmt;

/// A path that has only one reading. It begins with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath(String);

/// The path of a request before its route is known: in its one spelling, but for slashes that are
/// escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath {
    path: NormalPath,
    has_escaped_slash: bool,
}

/// What a route does with slashes that are escaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EscapedSlashes {
    /// Servers that undo escapes before they split a path take them for slashes.
    #[default]
    Refuse,
    /// They are part of their segment, for the upstream too.
    Keep,
}

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
    /// A slash that is escaped, where the route does not keep them.
    EscapedSlash,
    /// A backslash, plain or escaped.
    HiddenSlash,
    /// A semicolon, plain or escaped.
    Semicolon,
    /// An escape that is not `%` and two hexadecimal digits.
    Escape,
    /// An escaped percent sign before what would be an escape.
    DoubleEscape,
    /// A control character, a space, or a byte beyond ASCII that is not escaped.
    Character,
    /// Escaped bytes that are not UTF-8.
    Utf8,
}

impl NormalPath {
    /// Reads the path of a request target, without its query. An escaped slash is refused.
    ///
    /// # Errors
    ///
    /// What makes it ambiguous.
    pub fn parse(written: &str) -> Result<Self, PathFault> {
        let RequestPath {
            path,
            has_escaped_slash,
        } = RequestPath::parse(written)?;
        if has_escaped_slash {
            Err(PathFault::EscapedSlash)
        } else {
            Ok(path)
        }
    }

    /// The path as it is forwarded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands between the slashes. A final slash makes no difference.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let inner = self.0.trim_matches('/');
        inner
            .split('/')
            .take(if inner.is_empty() { 0 } else { usize::MAX })
    }

    /// The path in two: its first segments, and the rest. The rest begins with a slash, or is
    /// empty.
    pub(crate) fn split_after(&self, segments: usize) -> (&str, &str) {
        let slashes = self.0.match_indices('/').map(|(at, _)| at);
        let end = slashes
            .chain([self.0.len()])
            .nth(segments)
            .unwrap_or(self.0.len());
        self.0.split_at_checked(end).unwrap_or((&self.0, ""))
    }
}

impl RequestPath {
    /// Reads the path of a request target, without its query.
    pub(crate) fn parse(written: &str) -> Result<Self, PathFault> {
        let mut path = String::with_capacity(written.len());
        let mut segments = written
            .strip_prefix('/')
            .ok_or(PathFault::Relative)?
            .split('/')
            .peekable();
        let (mut beyond_ascii, mut has_escaped_slash) = (false, false);
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_some() {
                return Err(PathFault::EmptySegment);
            }
            path.push('/');
            let start = path.len();
            let seen = normalise(segment, &mut path)?;
            beyond_ascii |= seen.beyond_ascii;
            has_escaped_slash |= seen.escaped_slash;
            check_segment(path.get(start..).unwrap_or_default())?;
        }
        if beyond_ascii && percent_decode_str(&path).decode_utf8().is_err() {
            return Err(PathFault::Utf8);
        }
        Ok(Self {
            path: NormalPath(path),
            has_escaped_slash,
        })
    }

    /// Reads a path of the settings, which may be written in UTF-8.
    pub(crate) fn parse_setting(written: &str) -> Result<Self, PathFault> {
        Self::parse(&spelling::escape_beyond_ascii(written))
    }

    /// The path as its route takes it.
    pub(crate) fn on_route(&self, slashes: EscapedSlashes) -> Result<&NormalPath, PathFault> {
        match slashes {
            EscapedSlashes::Refuse if self.has_escaped_slash => Err(PathFault::EscapedSlash),
            EscapedSlashes::Refuse | EscapedSlashes::Keep => Ok(&self.path),
        }
    }

    /// What stands between the slashes that are not escaped. A final slash makes no difference.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.segments()
    }

    /// The path in its one spelling: to be compared, logged and told, never to be forwarded.
    pub(crate) fn as_str(&self) -> &str {
        self.path.as_str()
    }
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relative => "a path that does not begin with a slash",
            Self::DotSegment => "a dot segment",
            Self::EmptySegment => "an empty segment",
            Self::EscapedSlash => {
                "an escaped slash, on a route without `encoded_slashes = \"keep\"`"
            }
            Self::HiddenSlash => "a backslash",
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
