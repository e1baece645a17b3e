//! Values that an example left in the settings.

/// What a value still holds of an example: `{tenant}`, `<org>`, `idp.example.com`, `changeme`.
pub fn placeholder(text: &str) -> Option<&str> {
    between(text, '{', '}')
        .or_else(|| between(text, '<', '>'))
        .or_else(|| example_host(text))
        .or_else(|| word(text))
}

/// A piece such as `{tenant}` or `<org>`, which no address holds.
pub fn blank(text: &str) -> Option<&str> {
    between(text, '{', '}').or_else(|| between(text, '<', '>'))
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    let start = text.find(open)?;
    let rest = text.get(start..)?;
    let end = rest.find(close)? + close.len_utf8();
    let piece = rest.get(..end)?;
    let named = |name: &str| !name.is_empty() && !name.contains(char::is_control);
    named(piece.trim_matches([open, close])).then_some(piece)
}

/// A host that nobody can own (RFC 2606, section 3).
fn example_host(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end)?;
    let domain = host.strip_prefix("*.").unwrap_or(host);
    let is_example = ["example.com", "example.net", "example.org"]
        .iter()
        .filter_map(|known| domain.strip_suffix(known))
        .any(|before| before.is_empty() || before.ends_with('.'));
    is_example.then_some(host)
}

fn word(text: &str) -> Option<&str> {
    let plain: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
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
