//! Local references: `#/components/pathItems/Orders`.

use super::node::Node;
use portcullis_core::{ConfigError, ConfigErrors};

/// How many references may lead to each other: more are a circle.
const LONGEST: usize = 16;

/// Follows the references of a node within the document, and returns where they end.
///
/// # Errors
///
/// A reference to another file, to nothing, or in a circle: what stands there may demand anything.
pub(super) fn resolve<'d>(
    root: &'d Node,
    node: &'d Node,
    place: &str,
) -> Result<&'d Node, ConfigErrors> {
    let mut found = node;
    for _ in 0..LONGEST {
        let Some(reference) = found.member("$ref") else {
            return Ok(found);
        };
        let target = reference.text().and_then(|text| point(root, text));
        match target {
            Some(target) => found = target,
            None => return Err(unknown(place, &reference.describe())),
        }
    }
    Err(unknown(place, "a circle"))
}

fn unknown(place: &str, found: &str) -> ConfigErrors {
    ConfigError::expected(
        format!("{place}.$ref"),
        "a reference to a part of this document",
    )
    .found_as(found)
    .help("join the files into one, such as by `redocly bundle`")
    .into()
}

/// The node at a JSON pointer in a fragment (RFC 6901, section 6).
fn point<'d>(root: &'d Node, reference: &str) -> Option<&'d Node> {
    let mut found = root;
    for name in reference.strip_prefix("#/")?.split('/') {
        let name = unescape(name)?.replace("~1", "/").replace("~0", "~");
        found = found.member(&name)?;
    }
    Some(found)
}

/// A part of a fragment without percent escapes, which braces of a path have there.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::super::text::parse;
    use super::*;

    #[test]
    fn references_within_the_document_are_followed() {
        let root = "a: {$ref: '#/b/~1x~1%7Bid%7D'}\nb: {'/x/{id}': {$ref: '#/c'}}\nc: {d: 1}\n\
                    loop: {$ref: '#/loop'}\nfile: {$ref: 'x.yaml#/a'}\nnone: {$ref: '#/e'}\n\
                    odd: {$ref: [1]}\n";
        let root = parse(root).unwrap();
        let at = |name: &str| resolve(&root, root.member(name).unwrap(), name);
        assert_eq!(at("a").unwrap(), root.member("c").unwrap());
        assert_eq!(at("c").unwrap(), root.member("c").unwrap());
        for (name, found) in [
            ("loop", "a circle"),
            ("file", "\"x.yaml#/a\""),
            ("none", "\"#/e\""),
            ("odd", "a list"),
        ] {
            let fault = at(name).unwrap_err().to_string();
            let expected = format!(
                "{name}.$ref: expected a reference to a part of this document, found {found}"
            );
            assert!(fault.contains(&expected), "{fault}");
        }
    }
}
