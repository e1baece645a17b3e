//! The URL that a client asked for: scheme, authority and path as it sent them, before anything on
//! the way rewrote them (RFC 9110, section 7.1; RFC 9449, section 4.3).
//!
//! Two URLs are equal after the normalisations of RFC 3986, sections 6.2.2 and 6.2.3, and not
//! otherwise. Query and fragment do not count. Refuses: other schemes than http and https, user
//! information, bytes that a URL cannot hold, escapes that are none.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The scheme of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "HTTP has these two")]
pub enum HttpScheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

/// The URL that a client asked for, without query and fragment.
///
/// ```
/// use portcullis_core::{EffectiveUrl, HttpScheme};
///
/// let asked = EffectiveUrl::new(HttpScheme::Https, "api.example", "/orders/42").ok_or("no URL")?;
/// let same = EffectiveUrl::parse("HTTPS://API.example:443/orders/%34%32?page=2");
/// assert_eq!(Some(&asked), same.as_ref());
/// assert_ne!(Some(&asked), EffectiveUrl::parse("https://api.example/orders%2F42").as_ref());
/// assert_eq!(asked.to_string(), "https://api.example/orders/42");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EffectiveUrl {
    scheme: HttpScheme,
    host: Box<str>,
    port: u16,
    path: Box<str>,
}

impl EffectiveUrl {
    /// The URL of a request: the scheme of its connection, its authority, and its path as the
    /// client wrote it. `None` if these make no URL.
    pub fn new(scheme: HttpScheme, authority: &str, path: &str) -> Option<Self> {
        let (host, port) = split_port(authority)?;
        let port = match port {
            "" => scheme.default_port(),
            digits => read_port(digits)?,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Some(Self {
            scheme,
            host: normal_host(host)?.into(),
            port,
            path: normal_path(path)?.into(),
        })
    }

    /// Reads an absolute URL, such as the `htu` of a proof. `None` for everything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = HttpScheme::from_name(scheme)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        // What follows is not compared, but must be what a URL can hold.
        path.bytes().all(is_url_byte).then_some(())?;
        Self::new(scheme, authority, path)
    }

    /// The scheme.
    pub fn scheme(&self) -> HttpScheme {
        self.scheme
    }

    /// The host in lower case, and the port unless it is the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The parts in which another URL differs, by name: `scheme`, `host`, `port`, `path`. A port
    /// that follows from its scheme is no difference of its own.
    ///
    /// ```
    /// # use portcullis_core::EffectiveUrl;
    /// let parse = |text| EffectiveUrl::parse(text).ok_or("no URL");
    /// let (asked, other) = (parse("https://api.example/a")?, parse("http://api.example/b")?);
    /// assert_eq!(asked.differences(&other), ["scheme", "path"]);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let usual = |url: &Self| url.port == url.scheme.default_port();
        let ports_differ = self.port != other.port && !(usual(self) && usual(other));
        let parts = [
            ("scheme", self.scheme != other.scheme),
            ("host", self.host != other.host),
            ("port", ports_differ),
            ("path", self.path != other.path),
        ];
        let differing = parts.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(name, _)| name).collect()
    }

    /// The path, normalised.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl HttpScheme {
    /// The scheme of this name; names have no case (RFC 3986, section 3.1).
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("https") {
            Some(Self::Https)
        } else if name.eq_ignore_ascii_case("http") {
            Some(Self::Http)
        } else {
            None
        }
    }

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for EffectiveUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, path) = (self.scheme.name(), &self.path);
        write!(f, "{scheme}://{}{path}", self.authority())
    }
}

/// The host, and the digits behind its colon.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    if authority.starts_with('[') {
        let end = authority.find(']')?;
        let (host, rest) = authority.split_at_checked(end + 1)?;
        return match rest {
            "" => Some((host, "")),
            rest => Some((host, rest.strip_prefix(':')?)),
        };
    }
    Some(authority.split_once(':').unwrap_or((authority, "")))
}

fn read_port(digits: &str) -> Option<u16> {
    // `parse` takes a sign too.
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    digits.parse().ok()
}

/// A name or an address in its one spelling. A name in another alphabet comes as Punycode.
fn normal_host(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_host = !host.is_empty() && host.bytes().all(is_name);
    // Only digits at the end: an address, which has one spelling (RFC 3986, section 3.2.2).
    let last = host.rsplit('.').next().unwrap_or_default();
    if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
        return host.parse::<Ipv4Addr>().ok().map(|it| it.to_string());
    }
    is_host.then(|| host.to_ascii_lowercase())
}

/// A path with its escapes in one spelling and without dot segments.
fn normal_path(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("/".to_owned());
    }
    path.starts_with('/').then_some(())?;
    Some(without_dot_segments(&normal_escapes(path)?))
}

/// Escapes of characters that need none are undone, the others are in upper case (RFC 3986,
/// sections 6.2.2.1 and 6.2.2.2).
fn normal_escapes(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        // Browsers write these as they are (WHATWG URL, path percent-encode set).
        if matches!(byte, b'[' | b']' | b'|') {
            normal.push_str(&format!("%{byte:02X}"));
            continue;
        }
        if byte != b'%' {
            is_url_byte(byte).then_some(())?;
            normal.push(char::from(byte));
            continue;
        }
        let (high, low) = (hex_digit(bytes.next())?, hex_digit(bytes.next())?);
        let escaped = high << 4 | low;
        if is_unreserved(escaped) {
            normal.push(char::from(escaped));
        } else {
            normal.push_str(&format!("%{escaped:02X}"));
        }
    }
    Some(normal)
}

/// RFC 3986, section 5.2.4, for a path that begins with a slash.
fn without_dot_segments(path: &str) -> String {
    if !path.contains("/.") {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in path.split('/').skip(1) {
        ends_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            segment => kept.push(segment),
        }
    }
    let end = if ends_open && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", kept.join("/"))
}

fn hex_digit(byte: Option<u8>) -> Option<u8> {
    let digit = char::from(byte?).to_digit(16)?;
    u8::try_from(digit).ok()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The characters of RFC 3986, section 2, and the escape.
const fn is_url_byte(byte: u8) -> bool {
    let reserved = matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
    );
    let others = matches!(byte, b'/' | b'?' | b'#' | b'[' | b']' | b'|' | b'%');
    is_unreserved(byte) || reserved || others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Option<String> {
        EffectiveUrl::parse(text).map(|url| url.to_string())
    }

    #[test]
    fn one_url_has_one_spelling() {
        for (text, expected) in [
            (
                "https://api.example/orders/42",
                "https://api.example/orders/42",
            ),
            (
                "HTTPS://API.Example:443/orders/42?a=b#c",
                "https://api.example/orders/42",
            ),
            ("http://api.example:80", "http://api.example/"),
            ("http://api.example:/", "http://api.example/"),
            ("http://api.example:0443/", "http://api.example:443/"),
            ("https://api.example?x=1", "https://api.example/"),
            (
                "https://api.example/%7euser/%41%2f%e2",
                "https://api.example/~user/A%2F%E2",
            ),
            ("https://api.example/a/./b/../c", "https://api.example/a/c"),
            ("https://api.example/a/%2e%2e/c", "https://api.example/c"),
            ("https://api.example/a/..", "https://api.example/"),
            ("https://api.example/a/b/.", "https://api.example/a/b/"),
            ("https://api.example/../../a", "https://api.example/a"),
            ("https://api.example//a", "https://api.example//a"),
            (
                "https://[2001:DB8::0:1]:8443/a",
                "https://[2001:db8::1]:8443/a",
            ),
            (
                "https://api.example/a[b]|c",
                "https://api.example/a%5Bb%5D%7Cc",
            ),
            ("https://127.0.0.1/a.b", "https://127.0.0.1/a.b"),
        ] {
            assert_eq!(normal(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_of_http_has_no_value() {
        for text in [
            "",
            "/orders",
            "api.example/orders",
            "//api.example/orders",
            "ftp://api.example/",
            "https:/api.example/",
            "https:///orders",
            "https://user@api.example/",
            "https://api.example:99999/",
            "https://api.example:+80/",
            "https://api.example:8x/",
            "https://api.example\\orders",
            "https://api.example/a b",
            "https://api.example/\u{e9}",
            "https://\u{e4}pi.example/",
            "https://api.example/%zz",
            "https://api.example/%4",
            "https://[::1/",
            "https://[::1]x/",
            "https://1.2.3/",
            "https://api.example/a\n",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }

    #[test]
    fn different_urls_stay_different() {
        let own = EffectiveUrl::new(HttpScheme::Https, "api.example", "/orders/42");
        for other in [
            "http://api.example/orders/42",
            "https://api.example:8443/orders/42",
            "https://api.example.evil/orders/42",
            "https://api.example/orders/42/",
            "https://api.example/Orders/42",
            "https://api.example/orders%2F42",
            "https://api.example//orders/42",
        ] {
            assert_ne!(own, EffectiveUrl::parse(other), "{other}");
        }
        assert_eq!(
            EffectiveUrl::new(HttpScheme::Https, "api.example", "*"),
            None
        );
        assert_eq!(EffectiveUrl::new(HttpScheme::Https, "", "/"), None);
    }

    #[test]
    fn a_normal_url_is_its_own_normal_form() {
        for text in [
            "https://a.example/%41/../b%2f;x=1",
            "http://[::1]:8080/",
            "https://a.example/a//b/.",
        ] {
            let once = normal(text);
            assert!(once.is_some());
            assert_eq!(once.as_deref().and_then(normal), once, "{text}");
        }
    }
}
