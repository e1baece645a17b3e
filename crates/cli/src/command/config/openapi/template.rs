//! A path of a document, in the words of a route.
//!
//! A segment that is one parameter is any segment. A parameter beside other characters
//! (`{name}.{ext}`) is a part of a segment, which no route can tell from others: such a template
//! stands for more paths than it means, and is marked so.

use portcullis_gateway::{NormalPath, PathFault};

/// A segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A name, in the one spelling of the gateway.
    Literal(String),
    /// Any one segment, with its name where a route can have it.
    Any(Option<String>),
    /// A parameter beside other characters. A route takes any segment for it.
    Part,
}

/// The paths of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
    /// Whether a route for these segments is for the paths of the template and no others.
    pub(crate) is_exact: bool,
    /// Whether a parameter is called as if it stood for several segments: `{path+}`.
    pub(crate) seems_open: bool,
}

/// Why a path of a document is no template of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TemplateFault {
    /// Braces that are not in pairs.
    Braces,
    /// A path that the gateway refuses, whoever calls.
    Refused(PathFault),
}

impl Template {
    /// Reads a path.
    pub(crate) fn parse(path: &str) -> Result<Self, TemplateFault> {
        // Some documents tell operations apart by their query, which no route sees.
        let end = path.find(['?', '#']).unwrap_or(path.len());
        let (path, query) = path.split_at_checked(end).unwrap_or((path, ""));
        let mut template = Self {
            segments: Vec::new(),
            is_exact: query.is_empty(),
            seems_open: false,
        };
        let parts = split(path.strip_prefix('/').unwrap_or(path))?;
        let count = parts.len();
        for (index, part) in parts.into_iter().enumerate() {
            // A slash at the end makes no difference to routes.
            if part.is_empty() && index + 1 == count {
                break;
            }
            template.push(part)?;
        }
        Ok(template)
    }

    /// Reads a path as the gateway spells it, where a star is any segment.
    pub(crate) fn of_route(path: &str) -> Self {
        let parts = path.split('/').filter(|part| !part.is_empty());
        let segment = |part: &str| match part {
            "*" => Segment::Any(None),
            name => Segment::Literal(name.replace("%2A", "*")),
        };
        Self {
            segments: parts.map(segment).collect(),
            is_exact: true,
            seems_open: false,
        }
    }

    fn push(&mut self, part: &str) -> Result<(), TemplateFault> {
        if !part.contains('{') {
            self.segments.push(Segment::Literal(literal(part)?));
            return Ok(());
        }
        let inner = part
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'));
        let Some(name) = inner.filter(|it| !it.contains(['{', '}'])) else {
            self.is_exact = false;
            self.segments.push(Segment::Part);
            return Ok(());
        };
        // `{proxy+}` and `{path:.*}` are several segments for some servers, and one for OpenAPI.
        self.seems_open |= name.ends_with(['+', '*']) || name.contains(':');
        let mut name = is_name(name).then(|| name.to_owned());
        // No two segments of a route have one name.
        if self.segments.contains(&Segment::Any(name.clone())) {
            name = None;
        }
        self.segments.push(Segment::Any(name));
        Ok(())
    }

    /// Whether the document prefers it for the paths that fit both: each segment is at least as
    /// close to a path as the other one's, and not all are the same.
    pub(crate) fn is_closer_than(&self, other: &Self) -> bool {
        let rank = |segment: &Segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Part => 1,
            Segment::Any(_) => 2,
        };
        let own: Vec<u8> = self.segments.iter().map(rank).collect();
        let theirs: Vec<u8> = other.segments.iter().map(rank).collect();
        own != theirs
            && own
                .iter()
                .zip(theirs)
                .all(|(own, theirs)| *own <= theirs)
    }

    /// The path of a route for it.
    pub(crate) fn to_path(&self) -> String {
        spell(&self.segments, true)
    }

    /// The path without names: of two templates with one shape, a route cannot tell which is meant.
    pub(crate) fn shape(&self) -> String {
        spell(&self.segments, false)
    }
}

/// The path of a route for these segments, with or without the names of its parameters.
pub(crate) fn spell(segments: &[Segment], with_names: bool) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        match segment {
            // A plain star would be any segment.
            Segment::Literal(name) => path.push_str(&name.replace('*', "%2A")),
            Segment::Any(Some(name)) if with_names => path.push_str(&format!("{{{name}}}")),
            Segment::Any(_) | Segment::Part => path.push('*'),
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    path
}

/// The segments of a path. A slash within braces belongs to the name of a parameter.
fn split(path: &str) -> Result<Vec<&str>, TemplateFault> {
    let (mut parts, mut start, mut is_inside) = (Vec::new(), 0, false);
    for (at, character) in path.char_indices() {
        match (character, is_inside) {
            ('{', false) => is_inside = true,
            ('}', true) => is_inside = false,
            ('{' | '}', _) => return Err(TemplateFault::Braces),
            ('/', false) => {
                parts.push(path.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    if is_inside {
        return Err(TemplateFault::Braces);
    }
    parts.push(path.get(start..).unwrap_or_default());
    Ok(parts)
}

/// A segment in the one spelling of the gateway.
fn literal(part: &str) -> Result<String, TemplateFault> {
    if part.is_empty() {
        return Err(TemplateFault::Refused(PathFault::EmptySegment));
    }
    let mut escaped = String::from("/");
    for byte in part.bytes() {
        match byte {
            // A document is no request: its spaces and letters beyond ASCII are sent escaped.
            b' ' | 0x80.. => escaped.push_str(&format!("%{byte:02X}")),
            _ => escaped.push(char::from(byte)),
        }
    }
    let path = NormalPath::parse(&escaped).map_err(TemplateFault::Refused)?;
    Ok(path.as_str().trim_start_matches('/').to_owned())
}

/// Whether a route can call a segment so.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> (String, bool) {
        let template = Template::parse(path).unwrap();
        (template.to_path(), template.is_exact)
    }

    #[test]
    fn templates_become_paths_of_routes() {
        for (path, expected, is_exact) in [
            ("/", "/", true),
            ("/orders", "/orders", true),
            ("/orders/", "/orders", true),
            ("/orders/{id}", "/orders/{id}", true),
            ("/a/{order-id}/b", "/a/*/b", true),
            ("/a/{id}/{id}", "/a/{id}/*", true),
            ("/a/{x/y}", "/a/*", true),
            ("/files/{name}.{ext}", "/files/*", false),
            ("/a{b}c", "/*", false),
            ("/v1/{name}:cancel", "/v1/*", false),
            ("/a?x={y}", "/a", false),
            ("/caf\u{e9}/a b/%7e/*", "/caf%C3%A9/a%20b/~/%2A", true),
            ("/a/${x}", "/a/*", false),
        ] {
            assert_eq!(read(path), (expected.to_owned(), is_exact), "{path}");
        }
        assert_eq!(Template::parse("/a/{id}").unwrap().shape(), "/a/*");
        assert!(Template::parse("/a/{proxy+}").unwrap().seems_open);
        assert!(!Template::parse("/a/{proxy}").unwrap().seems_open);
    }

    #[test]
    fn other_paths_are_faults() {
        for path in ["/a{", "/a}", "/{a{b}}", "/{a", "/a/}b{"] {
            assert_eq!(Template::parse(path), Err(TemplateFault::Braces), "{path}");
        }
        for path in ["/a//b", "/a;b", "/a/../b", "/a%2Fb", "/a\\b", "//", "/a\nb"] {
            let fault = Template::parse(path);
            assert!(matches!(fault, Err(TemplateFault::Refused(_))), "{path}");
        }
    }
}
