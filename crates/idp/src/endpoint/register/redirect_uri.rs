//! Which addresses a client may register (RFC 9700, section 2.1; RFC 8252, section 7).

use portcullis_core::token::issuer::is_loopback_host;
use url::Url;

/// https; http on loopback; or an app's own scheme, which has a dot in it because it is a domain
/// turned round. Nothing that browsers and servers may read differently: no fragment, no user, no
/// wildcard, no dots for directories.
pub(crate) fn is_acceptable(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['#', '\\', '*', '"', '<', '>']);
    // A user part makes `https://app.example@evil.example` look like another host.
    let nobody = url.username().is_empty() && url.password().is_none();
    let host = url.host_str().filter(|host| !host.is_empty());
    let known = match url.scheme() {
        "https" => host.is_some(),
        "http" => host.is_some_and(is_loopback_host),
        // Also keeps `javascript:` and `data:` out, which have no dot.
        scheme => scheme.contains('.'),
    };
    plain && nobody && known && !has_dots(text)
}

/// Whether a part of the path is `.` or `..`, also where it is encoded.
fn has_dots(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace("%2e", ".");
    let path = text.split('?').next().unwrap_or_default();
    path.split('/').any(|part| part == "." || part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mean_one_thing() {
        for uri in [
            "https://app.example/callback",
            "https://app.example/callback?tenant=a",
            "http://127.0.0.1/callback",
            "http://localhost:8400/",
            "http://[::1]:3000/cb",
            "com.example.app:/callback",
            "com.example.app://callback",
        ] {
            assert!(is_acceptable(uri), "{uri}");
        }
        for uri in [
            "",
            "/callback",
            "http://app.example/callback",
            "http://127.0.0.1.evil.example/",
            "https://",
            "https://*.app.example/",
            "https://app.example/cb#x",
            "https://user@app.example/",
            "https://app.example/a/../b",
            "https://app.example/a/%2E%2e/b",
            "https://app.example\\@evil.example/",
            "https://app.example/ b",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp:/callback",
        ] {
            assert!(!is_acceptable(uri), "{uri}");
        }
    }
}
