//! The host that a request is for (RFC 9110, section 7.2), and patterns of hosts, both in one
//! spelling.
//!
//! The one spelling has small letters, no final dot (`example.com.` is `example.com`), and
//! addresses and ports in their usual form. Anything that does not look like a host with an
//! optional port is refused: userinfo, paths, lists, spaces, escapes, characters beyond ASCII,
//! empty labels, and numbers that some servers take for an address of IPv4 and others for a name
//! (`127.1`, `0x7f.0.0.1`). The host is not resolved.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The host and the port of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    authority: String,
    name_length: usize,
}

impl Host {
    /// Reads the value of `Host`, or an authority. `None` if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let name_length = match text.strip_prefix('[') {
            Some(rest) => rest.find(']')? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (name, port) = text.split_at_checked(name_length)?;
        let mut authority = normal_name(name)?.into_owned();
        let name_length = authority.len();
        if !port.is_empty() {
            let port = parse_port(port.strip_prefix(':')?)?;
            authority = format!("{authority}:{port}");
        }
        Some(Self {
            authority,
            name_length,
        })
    }

    /// The host without the port, in its one spelling.
    pub(crate) fn name(&self) -> &str {
        self.authority
            .get(..self.name_length)
            .unwrap_or_default()
    }

    /// The host with the port, if there is one.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

/// A port of one to five digits. `u16::from_str` alone would take a plus sign.
fn parse_port(digits: &str) -> Option<u16> {
    if digits.len() > 5 || !is_decimal(digits) {
        return None;
    }
    digits.parse().ok()
}

/// The one spelling of a name or an address. `None` for what is neither.
fn normal_name(text: &str) -> Option<Cow<'_, str>> {
    if let Some(address) = text.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]").into());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    // The longest name that DNS can resolve (RFC 1035, section 2.3.4).
    if !(1..=253).contains(&name.len()) || !name.split('.').all(is_label) {
        return None;
    }
    // A resolver may read `127.1` as an address while a policy compares it as a name.
    if ends_in_number(name) && name.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(name.to_ascii_lowercase().into());
    }
    Some(name.into())
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(is_label_byte)
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a name would be taken for an address of IPv4 (URL Standard, section 3.5).
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    match last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
    {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => is_decimal(last),
    }
}

/// A host, or all hosts below one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum HostPattern {
    /// This host.
    Exact(Box<str>),
    /// Every host that ends with this, which begins with a dot.
    Below(Box<str>),
}

impl HostPattern {
    /// Reads `example.com` or `*.example.com`. `None` if it is neither.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some(below) = text.strip_prefix("*.") else {
            return normal_name(text).map(|name| Self::Exact(name.into()));
        };
        let name = normal_name(below)?;
        // Addresses have no subdomains, so such a pattern could never match.
        if name.starts_with('[') || ends_in_number(&name) {
            return None;
        }
        Some(Self::Below(format!(".{name}").into()))
    }

    /// Whether a host is one of those that are served. Without any pattern, all are.
    pub(crate) fn serves(served: &[Self], host: &Host) -> bool {
        served.is_empty() || served.iter().any(|pattern| pattern.matches(host))
    }

    /// Whether a host is meant. `*.example.com` does not mean `example.com`.
    pub(crate) fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Exact(name) => host.name() == &**name,
            Self::Below(below) => {
                host.name().len() > below.len() && host.name().ends_with(&**below)
            }
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(below) => write!(f, "*{below}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        for (text, name, authority) in [
            ("GW.example", "gw.example", "gw.example"),
            ("gw.example:8080", "gw.example", "gw.example:8080"),
            ("gw.example:0080", "gw.example", "gw.example:80"),
            ("gw.example:65535", "gw.example", "gw.example:65535"),
            ("gw.example.", "gw.example", "gw.example"),
            ("GW.example.:443", "gw.example", "gw.example:443"),
            ("localhost.", "localhost", "localhost"),
            ("my_service", "my_service", "my_service"),
            (
                "XN--BCHER-KVA.example.",
                "xn--bcher-kva.example",
                "xn--bcher-kva.example",
            ),
            ("[::1]:80", "[::1]", "[::1]:80"),
            ("[0:0:0:0:0:0:0:1]", "[::1]", "[::1]"),
            ("[2001:DB8:0::7]", "[2001:db8::7]", "[2001:db8::7]"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1", "127.0.0.1"),
            ("3f2a.0xyz", "3f2a.0xyz", "3f2a.0xyz"),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.name(), host.authority()), (name, authority));
            assert_eq!(
                Host::parse(authority),
                Some(host),
                "{text}: twice is as once"
            );
            let pattern = HostPattern::parse(text.split(":8").next().unwrap());
            assert!(
                pattern.is_none_or(|pattern| pattern.matches(&Host::parse(text).unwrap())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ".",
            "..",
            ".:80",
            ":80",
            "a@b",
            "a/b",
            "a, b",
            "a b",
            "a:80x",
            "a:000080",
            "a:",
            "a.:",
            "a:99999",
            "a:+1",
            "[::1",
            "[x]",
            "[::1].",
            "[::1]x",
            "[fe80::1%25eth0]",
            "a:1:2",
            "a\t",
            "a..",
            "a..b",
            ".a",
            "a%2eb",
            "a%",
            "\u{fc}.example",
            "a\u{3002}b",
            "*.example",
            "127.1",
            "127.0.0.01",
            "0x7f.0.0.1",
            "127.0.0.0x1",
            "1.2.3.4.5",
            "2130706433",
            "0x7F000001",
            "1.2.3.256",
            "a.7",
            "127.1.",
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
            assert!(
                HostPattern::parse(text).is_none() || text == "*.example",
                "{text}"
            );
        }
    }

    #[test]
    fn patterns_match_whole_labels() {
        for text in ["*.Example.com", "*.example.com."] {
            let below = HostPattern::parse(text).unwrap();
            let matches = |host: &str| below.matches(&Host::parse(host).unwrap());
            assert!(
                matches("a.example.com")
                    && matches("a.b.example.com:80")
                    && matches("A.Example.com.")
            );
            assert!(
                !matches("example.com") && !matches("badexample.com") && !matches("example.com.")
            );
            assert_eq!(below.to_string(), "*.example.com");
        }
        for text in [
            "*", "*.", "a.*.b", "*.*.b", "*a.b", "*.[::1]", "*.0.0.1", "a:80",
        ] {
            assert!(HostPattern::parse(text).is_none(), "{text}");
        }
        let exact = |text: &str| HostPattern::parse(text).unwrap().to_string();
        assert_eq!(
            [exact("GW.Example."), exact("[0::1]")],
            ["gw.example", "[::1]"]
        );
    }
}
