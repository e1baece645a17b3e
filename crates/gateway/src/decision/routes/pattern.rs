//! The requests that a route is for, as the settings write them.
//!
//! The path of a pattern is read like the path of a request, by the same code, so the two compare
//! in one spelling. A star or braces are wild only if they are written plainly and make up a whole
//! segment; `%2A` is the character. A pattern may be written in UTF-8.

use crate::decision::cedar::parameter;
use crate::request::host::HostPattern;
use crate::request::path::{EscapedSlashes, RequestPath};
use http::Method;
use std::fmt;

/// The requests that a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutePattern {
    pub(crate) host: Option<HostPattern>,
    pub(crate) path: PathPattern,
    /// `None` for all methods.
    pub(crate) method: Option<Method>,
}

/// A path, `*` or `{name}` for one segment, `**` at the end for any number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPattern {
    pub(super) segments: Vec<Option<Box<str>>>,
    pub(super) open: bool,
}

impl PathPattern {
    /// Reads a path of the settings. Only routes that keep escaped slashes may have one.
    pub(crate) fn parse(text: &str, slashes: EscapedSlashes) -> Result<Self, String> {
        let (closed, open) = match text.strip_suffix("/**") {
            Some("") => ("/", true),
            Some(closed) => (closed, true),
            None => (text, false),
        };
        let written: Vec<&str> = closed.split('/').collect();
        for segment in &written {
            if is_wild(segment) {
                continue;
            }
            // A star that matched part of a segment would be read as a glob, which it is not.
            if segment.contains('*') {
                return Err("a segment with a star inside; `%2A` is the character".to_owned());
            }
            if segment.contains(['{', '}']) {
                let fault = "braces that are no name; `%7B` and `%7D` are the characters";
                return Err(fault.to_owned());
            }
        }
        let path = RequestPath::parse_setting(closed).map_err(|fault| fault.to_string())?;
        let path = path
            .on_route(slashes)
            .map_err(|fault| fault.to_string())?;
        // Before the first slash there is an empty text, which is no segment.
        let written = written.into_iter().skip(1);
        let mut segments = Vec::new();
        for (segment, written) in path.segments().zip(written) {
            segments.push((!is_wild(written)).then(|| segment.into()));
        }
        Ok(Self { segments, open })
    }

    /// The segments, `None` for any one.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn segments(&self) -> impl Iterator<Item = Option<&str>> {
        self.segments.iter().map(Option::as_deref)
    }

    /// Whether a path, in its one spelling, matches. The walk of a request finds the same, and
    /// faster.
    pub(crate) fn matches(&self, path: &RequestPath) -> bool {
        let mut segments = path.segments();
        for wanted in &self.segments {
            match (segments.next(), wanted) {
                (Some(segment), Some(wanted)) if *segment == **wanted => {}
                (Some(_), None) => {}
                _ => return false,
            }
        }
        self.open || segments.next().is_none()
    }

    /// Whether more segments may follow.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// The number of segments of a prefix, if this path begins with it.
    pub(crate) fn length_of_prefix(&self, prefix: &Self) -> Option<usize> {
        let begins = !prefix.open && self.segments.starts_with(&prefix.segments);
        begins.then_some(prefix.segments.len())
    }
}

/// As settings may write it, with a star for each name.
impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                // A plain star would be any segment.
                Some(written) => write!(f, "/{}", written.replace('*', "%2A"))?,
                None => f.write_str("/*")?,
            }
        }
        match (self.open, self.segments.is_empty()) {
            (true, _) => f.write_str("/**"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

/// Whether a segment of a pattern matches any segment.
fn is_wild(written: &str) -> bool {
    written == "*" || parameter(written).is_some()
}
