//! The path of a request in the one spelling that is both matched and forwarded.
//! `docs/gateway/paths.md` has the rule.
//!
//! Two spellings are one path if their segments decode to the same bytes, one by one. The normal
//! spelling writes each of these bytes plainly where RFC 3986 lets a segment hold it (section 3.3,
//! `pchar`), and escaped in capitals elsewhere. Printable characters that a path may not hold, such
//! as `[` and `|`, are escaped: browsers send them, and one reading is left.
//!
//! A path that servers read in more than one way is refused: dot segments, empty segments,
//! backslashes, semicolons, double escapes, control characters, spaces, raw bytes beyond ASCII,
//! escapes that are not UTF-8. A [`RequestPath`] may hold escaped slashes; only its route makes a
//! [`NormalPath`] of it. Nothing is resolved or cut. Differences that some upstreams ignore are not
//! seen: the case of letters, Unicode normalisation, final dots and spaces.

mod spelling;

use crate::refusal::PathFault;
use percent_encoding::percent_decode_str;
use spelling::{check_segment, normalise};

/// A path that has only one reading. It begins with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath(String);

/// The path of a request before its route is known: in its one spelling, except for escaped
/// slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath {
    path: NormalPath,
    has_escaped_slash: bool,
}

/// The way a route treats escaped slashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EscapedSlashes {
    /// Servers that undo escapes before they split a path take them for slashes.
    #[default]
    Refuse,
    /// They are part of their segment, for the upstream too.
    Keep,
}

impl NormalPath {
    /// Reads the path of a request target, without its query. An escaped slash is refused.
    ///
    /// # Errors
    ///
    /// The fault that makes it ambiguous.
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

    /// The path as the gateway forwards it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments between the slashes. A final slash makes no difference.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let inner = self.0.trim_matches('/');
        inner
            .split('/')
            .take(if inner.is_empty() { 0 } else { usize::MAX })
    }

    /// The path in two: its first segments, and the rest. The rest begins with a slash, or is
    /// empty.
    pub(crate) fn split_after(&self, segments: usize) -> (&str, &str) {
        let mut slashes = self.0.match_indices('/');
        // The path begins with a slash, so the slash of this index ends that many segments.
        let end = match slashes.nth(segments) {
            Some((at, _)) => at,
            None => self.0.len(),
        };
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
            let content = normalise(segment, &mut path)?;
            beyond_ascii |= content.beyond_ascii;
            has_escaped_slash |= content.escaped_slash;
            // The written form is judged: `%2e` and `.` are the same dot by now.
            check_segment(path.get(start..).unwrap_or_default())?;
        }
        // Most paths are ASCII, so this costs nothing for them.
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

    /// The segments between the slashes that are not escaped. A final slash makes no difference.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.segments()
    }

    /// The path in its one spelling, to compare and to log. Only [`on_route`](Self::on_route) gives
    /// the one to forward.
    pub(crate) fn as_str(&self) -> &str {
        self.path.as_str()
    }
}

#[cfg(test)]
mod tests;
