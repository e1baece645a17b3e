//! The host that a request is for (RFC 9110, section 7.2), and patterns of hosts.
//!
//! Refused is what does not look like a host with an optional port: userinfo, paths, lists, spaces. Letters are
//! made small; nothing else is changed, so `example.com.` is another host than `example.com`.

use std::fmt;

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
        let port_fits = port.strip_prefix(':').is_some_and(|port| {
            (1..=5).contains(&port.len())
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok()
        });
        let fits = is_name(name) && (port.is_empty() || port_fits);
        fits.then(|| Self { authority: text.to_ascii_lowercase(), name_length })
    }

    /// The host without the port, in small letters.
    pub(crate) fn name(&self) -> &str {
        self.authority.get(..self.name_length).unwrap_or_default()
    }

    /// The host with the port, if there is one.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

fn is_name(name: &str) -> bool {
    match name.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            (1..=253).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
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
        let text = text.to_ascii_lowercase();
        match text.strip_prefix('*') {
            Some(below) => below
                .strip_prefix('.')
                .is_some_and(|name| is_name(name) && !name.starts_with('['))
                .then(|| Self::Below(below.into())),
            None => is_name(&text).then(|| Self::Exact(text.into())),
        }
    }

    /// Whether a host is meant.
    pub(crate) fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Exact(name) => host.name() == &**name,
            Self::Below(below) => host.name().len() > below.len() && host.name().ends_with(&**below),
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
    fn hosts_are_read_strictly() {
        for (text, name, authority) in [
            ("GW.example", "gw.example", "gw.example"),
            ("gw.example:8080", "gw.example", "gw.example:8080"),
            ("[::1]:80", "[::1]", "[::1]:80"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
            ("gw.example.", "gw.example.", "gw.example."),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.name(), host.authority()), (name, authority));
        }
        for text in
            ["", ":80", "a@b", "a/b", "a, b", "a b", "a:80x", "a:", "a:99999", "[::1", "[x]", "a:1:2", "a\t"]
        {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_match_whole_labels() {
        let below = HostPattern::parse("*.Example.com").unwrap();
        let matches = |host: &str| below.matches(&Host::parse(host).unwrap());
        assert!(matches("a.example.com") && matches("a.b.example.com:80"));
        assert!(!matches("example.com") && !matches("badexample.com") && !matches(".example.com"));
        assert!(HostPattern::parse("*").is_none() && HostPattern::parse("a.*.b").is_none());
        assert_eq!(below.to_string(), "*.example.com");
    }
}
