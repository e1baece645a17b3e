//! Whether a client registered a redirect URI.

use crate::config::client::RegisteredClient;
use url::Url;

/// Character by character (RFC 9700, section 2.1), but for the port on loopback (RFC 8252, section
/// 7.3).
pub(crate) fn is_registered(client: &RegisteredClient, uri: &str) -> bool {
    if client.danger_unchecked {
        // Even an unchecked client cannot send a browser to `javascript:` or `data:`.
        return Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    }
    is_among(&client.redirect_uris, uri)
}

/// Whether an address is one of those that a client registered.
pub(crate) fn is_among(registered: &[String], uri: &str) -> bool {
    registered
        .iter()
        .any(|known| known == uri || same_but_for_the_port(known, uri))
}

/// Whether an address would be registered under the other name of loopback.
pub(crate) fn is_other_loopback_name(registered: &[String], uri: &str) -> bool {
    let (ip, name) = ("http://127.0.0.1", "http://localhost");
    [(ip, name), (name, ip)]
        .into_iter()
        .any(|(sent, other)| {
            let Some(path) = path_after(sent, uri) else {
                return false;
            };
            is_among(registered, &format!("{other}{path}"))
        })
}

fn same_but_for_the_port(registered: &str, uri: &str) -> bool {
    for origin in ["http://127.0.0.1", "http://[::1]", "http://localhost"] {
        if let Some(path) = path_after(origin, registered) {
            return path_after(origin, uri) == Some(path);
        }
    }
    false
}

/// What follows an origin and its port; none if the text is of another origin.
fn path_after<'t>(origin: &str, text: &'t str) -> Option<&'t str> {
    let rest = text.strip_prefix(origin)?;
    let path = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            // Digits alone: `http://127.0.0.1:80@evil.example` has a user, not a port.
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            let (number, path) = port.split_at_checked(digits)?;
            number.parse::<u16>().ok()?;
            path
        }
    };
    path.starts_with('/').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_is_free_and_only_on_loopback() {
        let same = same_but_for_the_port;
        assert!(same(
            "http://127.0.0.1/callback",
            "http://127.0.0.1:4711/callback"
        ));
        assert!(same(
            "http://localhost:1/callback",
            "http://localhost/callback"
        ));
        for uri in [
            "http://127.0.0.1:4711/callback/x",
            "http://127.0.0.1:4711/callback?x",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:99999/callback",
            "http://localhost:4711/callback",
            "https://127.0.0.1:4711/callback",
        ] {
            assert!(!same("http://127.0.0.1/callback", uri), "{uri}");
        }
        assert!(!same(
            "http://app.example/callback",
            "http://app.example:81/callback"
        ));
    }
}
