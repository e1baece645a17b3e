//! Values that an example left in the settings.

/// What a value still holds of an example: `{tenant}`, `<org>`, `idp.example.com`, `changeme`.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    for piece in [blank(text), example_host(text), word(text)] {
        if piece.is_some() {
            return piece;
        }
    }
    None
}

/// A piece such as `{tenant}` or `<org>`, which no address holds.
pub fn blank(text: &str) -> Option<&str> {
    match between(text, '{', '}') {
        None => between(text, '<', '>'),
        braces => braces,
    }
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    let start = text.find(open)?;
    let rest = text.get(start..)?;
    let end = rest.find(close)? + close.len_utf8();
    let piece = rest.get(..end)?;
    let name = piece.trim_matches([open, close]);
    (!name.is_empty() && !name.contains(char::is_control)).then_some(piece)
}

/// A host that nobody can own (RFC 2606, section 3).
fn example_host(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://").unwrap_or(("", text));
    let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end)?;
    let domain = host.strip_prefix("*.").unwrap_or(host);
    for known in ["example.com", "example.net", "example.org"] {
        match domain.strip_suffix(known) {
            Some(before) if before.is_empty() || before.ends_with('.') => return Some(host),
            _ => {}
        }
    }
    None
}

fn word(text: &str) -> Option<&str> {
    let mut plain = text.to_ascii_lowercase();
    // `change-me` and `CHANGE_ME` are the same word.
    plain.retain(|c| c.is_ascii_alphanumeric());
    let known = ["changeme", "changethis", "replaceme", "todo", "placeholder"];
    known.contains(&plain.as_str()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_example_left_is_found() {
        for (text, expected) in [
            ("https://login.example.net/{tenant}/v2.0", Some("{tenant}")),
            ("https://<org>.okta.com", Some("<org>")),
            ("https://idp.example.com/x", Some("idp.example.com")),
            ("example.org", Some("example.org")),
            ("*.example.com", Some("*.example.com")),
            ("change-me", Some("change-me")),
            ("CHANGEME", Some("CHANGEME")),
            ("https://idp.example", None),
            ("https://myexample.com", None),
            ("https://idp.acme.com/example.com", None),
            ("api://orders", None),
            ("a{}b", None),
            ("}{", None),
        ] {
            assert_eq!(placeholder(text), expected, "{text}");
        }
        assert_eq!(blank("https://idp.example.com"), None);
    }
}
