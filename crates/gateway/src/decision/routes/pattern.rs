//! Which requests a route is for, as the settings write it.
//!
//! The path of a pattern is read like the path of a request, by the same code: the two compare in
//! the one spelling that both have. A star or braces stand for something only where they are
//! written plainly and make up a whole segment; `%2A` is the character. A pattern may be written in
//! UTF-8.

use crate::decision::cedar::parameter;
use crate::request::host::HostPattern;
use crate::request::path::{EscapedSlashes, RequestPath};
use http::Method;

/// Which requests a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) host: Option<HostPattern>,
    pub(crate) path: PathPattern,
    /// None: all methods.
    pub(crate) method: Option<Method>,
}

/// A path, `*` or `{name}` for one segment, `**` at the end for any number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPattern {
    pub(super) segments: Vec<Option<Box<str>>>,
    pub(super) open: bool,
}

impl PathPattern {
    /// Reads a path as it stands in the settings. An escaped slash is for routes that keep them.
    pub(crate) fn parse(text: &str, slashes: EscapedSlashes) -> Result<Self, String> {
        let (closed, open) = match text.strip_suffix("/**") {
            Some("") => ("/", true),
            Some(closed) => (closed, true),
            None => (text, false),
        };
        let written: Vec<&str> = closed.split('/').collect();
        if written
            .iter()
            .any(|segment| !is_wild(segment) && segment.contains('*'))
        {
            return Err("a segment with a star inside; `%2A` is the character".to_owned());
        }
        if written
            .iter()
            .any(|segment| !is_wild(segment) && segment.contains(['{', '}']))
        {
            return Err("braces that are no name; `%7B` and `%7D` are the characters".to_owned());
        }
        let path = RequestPath::parse_setting(closed).map_err(|fault| fault.to_string())?;
        let path = path.on_route(slashes).map_err(|fault| fault.to_string())?;
        // The first of the written ones is what stands before the first slash: nothing.
        let segments = path.segments().zip(written.into_iter().skip(1));
        let segments =
            segments.map(|(segment, written)| (!is_wild(written)).then(|| segment.into()));
        Ok(Self {
            segments: segments.collect(),
            open,
        })
    }

    /// The segments, `None` for any one.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn segments(&self) -> impl Iterator<Item = Option<&str>> {
        self.segments.iter().map(Option::as_deref)
    }

    /// Whether more segments may follow.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// How many segments a prefix has that this path begins with. `None` where it begins with
    /// another one.
    pub(crate) fn length_of_prefix(&self, prefix: &Self) -> Option<usize> {
        let begins = !prefix.open && self.segments.starts_with(&prefix.segments);
        begins.then_some(prefix.segments.len())
    }
}

/// Whether a segment stands for any one.
fn is_wild(written: &str) -> bool {
    written == "*" || parameter(written).is_some()
}
