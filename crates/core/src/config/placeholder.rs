//! Values that an example left in the settings.

/// What a value still holds of an example: `{tenant}`, `<org>`, `idp.example.com`, `changeme`.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    for piece in [blank(text), example_host(text), your_own(text), word(text)] {
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

/// A word that stands for the reader's own: `your-domain.auth0.com`, `YOUR_CLIENT_ID`.
fn your_own(text: &str) -> Option<&str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    for word in text.split(|character| !is_word(character)) {
        let plain = word.to_ascii_lowercase().replace('_', "-");
        let is_known = ["yourdomain", "yourtenant", "yourcompany"].contains(&plain.as_str());
        if is_known || plain.starts_with("your-") || plain.contains("-your-") {
            return Some(word);
        }
    }
    None
}

fn word(text: &str) -> Option<&str> {
    let mut plain = text.to_ascii_lowercase();
    // `change-me` and `CHANGE_ME` are the same word.
    plain.retain(|c| c.is_ascii_alphanumeric());
    let known = [
        "changeme",
        "changethis",
        "replaceme",
        "todo",
        "tbd",
        "placeholder",
    ];
    // `xxxx`, and the GUID of zeros that documentation writes.
    let is_filler = plain.len() >= 4 && (is_all(&plain, 'x') || is_all(&plain, '0'));
    (is_filler || known.contains(&plain.as_str())).then_some(text)
}

fn is_all(text: &str, filler: char) -> bool {
    text.chars().all(|character| character == filler)
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
            ("https://your-domain.auth0.com/", Some("your-domain")),
            ("https://YOUR_TENANT.okta.com", Some("YOUR_TENANT")),
            ("YOUR_CLIENT_ID", Some("YOUR_CLIENT_ID")),
            ("https://yourdomain.com", Some("yourdomain")),
            ("api://your-app-id", Some("your-app-id")),
            ("xxxxxxxx", Some("xxxxxxxx")),
            (
                "00000000-0000-0000-0000-000000000000",
                Some("00000000-0000-0000-0000-000000000000"),
            ),
            ("https://yourls.acme.dev", None),
            ("https://harbour-crm.acme.dev", None),
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
