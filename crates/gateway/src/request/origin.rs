//! The origin of a web page (RFC 6454), and patterns of origins.
//!
//! Browsers write an origin in one spelling: scheme, host, and the port if it is not the scheme's
//! own. So origins compare as texts. A pattern is one origin, or all hosts below a name with one
//! scheme and one port; nothing in a pattern matches a part of a label.

use super::host::{Host, HostPattern};
use std::fmt;
use std::net::IpAddr;

/// One origin, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OriginPattern {
    /// The pages of this origin, as browsers write it.
    Exact(Box<str>),
    /// The pages of all hosts below one.
    Below {
        scheme: Box<str>,
        hosts: HostPattern,
        /// With its colon; empty for the port of the scheme.
        port: Box<str>,
    },
    /// Every page.
    Any,
}

/// Why a text cannot be a pattern of origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OriginFault {
    /// `null`: what sandboxed frames and local files of every site have.
    Null,
    /// No scheme before the host.
    NoScheme,
    /// More than scheme, host and port.
    Path,
    /// A star elsewhere than for all labels below a name of two labels.
    Star,
    /// The host or the port is malformed.
    Host,
}

impl OriginPattern {
    /// Reads an origin, `https://*.example.com`, or `*`.
    pub(crate) fn parse(text: &str) -> Result<Self, OriginFault> {
        match text {
            "*" => return Ok(Self::Any),
            "null" => return Err(OriginFault::Null),
            _ => {}
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginFault::NoScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        // Not HTTP alone: an app in a WebView has an origin such as `capacitor://localhost`.
        if !is_scheme(&scheme) {
            return Err(OriginFault::NoScheme);
        }
        // `https://app.example.com@evil.example` is of another host than it seems.
        if authority.contains(['/', '?', '#', '@']) {
            return Err(OriginFault::Path);
        }
        let (below, named) = match authority.strip_prefix("*.") {
            Some(named) => (true, named),
            None => (false, authority),
        };
        // `*example.com` would match `evilexample.com`, which anybody can register.
        if named.contains('*') {
            return Err(OriginFault::Star);
        }
        // The rules of `Host` leave one spelling: `127.1`, which browsers rewrite, is refused.
        let host = Host::parse(named).ok_or(OriginFault::Host)?;
        let port = port_of(&host, &scheme);
        if !below {
            return Ok(Self::Exact(
                format!("{scheme}://{}{port}", host.name()).into(),
            ));
        }
        // All hosts below `com` are hosts of strangers.
        let hosts = HostPattern::parse(&format!("*.{}", host.name()))
            .filter(|_| host.name().contains('.') || host.name() == "localhost")
            .ok_or(OriginFault::Star)?;
        Ok(Self::Below {
            scheme: scheme.into(),
            hosts,
            port: port.into(),
        })
    }

    /// Whether it is for the pages of this origin.
    pub(crate) fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => **exact == *origin,
            Self::Below {
                scheme,
                hosts,
                port,
            } => {
                let Some((found, authority)) = origin.split_once("://") else {
                    return false;
                };
                let Some(host) = Host::parse(authority) else {
                    return false;
                };
                // Another spelling is not a browser's.
                found == &**scheme
                    && host.authority() == authority
                    && authority.strip_prefix(host.name()) == Some(&**port)
                    && hosts.matches(&host)
            }
        }
    }

    /// Whether such a page comes over the network in clear.
    pub(crate) fn is_plain_http(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Exact(origin) => match origin.strip_prefix("http://") {
                Some(authority) => !Host::parse(authority).is_some_and(|host| is_loopback(&host)),
                None => false,
            },
            Self::Below { scheme, hosts, .. } => {
                let is_localhost =
                    matches!(hosts, HostPattern::Below(name) if name.ends_with(".localhost"));
                **scheme == *"http" && !is_localhost
            }
        }
    }
}

/// Longer schemes are no browser's.
const LONGEST_SCHEME: usize = 64;

/// RFC 3986, section 3.1, in small letters.
fn is_scheme(text: &str) -> bool {
    // The log repeats the origin of a refused page, so all of its parts have a bound.
    if text.len() > LONGEST_SCHEME {
        return false;
    }
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_inner)
}

/// The port as an origin has it: none, where it is the scheme's own.
fn port_of(host: &Host, scheme: &str) -> String {
    let port = host
        .authority()
        .strip_prefix(host.name())
        .unwrap_or_default();
    // The text form of an origin leaves this port out (RFC 6454, section 6.2).
    match (scheme, port) {
        ("https", ":443") | ("http", ":80") => String::new(),
        (_, port) => port.to_owned(),
    }
}

fn is_loopback(host: &Host) -> bool {
    let name = host.name();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    // Names below `localhost` never leave this machine (RFC 6761, section 6.3).
    name == "localhost"
        || name.ends_with(".localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(origin) => f.write_str(origin),
            Self::Below {
                scheme,
                hosts,
                port,
            } => write!(f, "{scheme}://{hosts}{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        OriginPattern::parse(text).unwrap().to_string()
    }

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (text, kept) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com:443", "https://app.example.com"),
            (
                "https://app.example.com:8443",
                "https://app.example.com:8443",
            ),
            ("http://localhost:80", "http://localhost"),
            ("http://[0::1]:5173", "http://[::1]:5173"),
            ("https://app.example.com:80", "https://app.example.com:80"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("https://*.Example.com", "https://*.example.com"),
            ("https://*.example.com:8443", "https://*.example.com:8443"),
            ("http://*.localhost:5173", "http://*.localhost:5173"),
            ("*", "*"),
        ] {
            assert_eq!(parsed(text), kept);
            assert_eq!(parsed(kept), kept);
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_its_kind() {
        for (text, fault) in [
            ("null", OriginFault::Null),
            ("", OriginFault::NoScheme),
            ("app.example.com", OriginFault::NoScheme),
            ("//app.example.com", OriginFault::NoScheme),
            ("://app.example.com", OriginFault::NoScheme),
            ("ht tp://a.example", OriginFault::NoScheme),
            ("https://app.example.com/", OriginFault::Path),
            ("https://app.example.com/shop", OriginFault::Path),
            ("https://app.example.com?x", OriginFault::Path),
            ("https://app.example.com#x", OriginFault::Path),
            ("https://a@app.example.com", OriginFault::Path),
            ("https://*", OriginFault::Star),
            ("https://*.com", OriginFault::Star),
            ("https://*.*.example.com", OriginFault::Star),
            ("https://app-*.example.com", OriginFault::Star),
            ("https://*example.com", OriginFault::Star),
            ("https://*.127.0.0.1", OriginFault::Star),
            ("https://app.example.com:*", OriginFault::Star),
            ("https://", OriginFault::Host),
            ("https://app example", OriginFault::Host),
            ("https://b\u{fc}cher.example", OriginFault::Host),
            ("https://app.example.com:99999", OriginFault::Host),
            ("file://", OriginFault::Host),
        ] {
            assert_eq!(OriginPattern::parse(text), Err(fault), "{text}");
        }
        let long = format!("{}://app.example.com", "x".repeat(65));
        assert_eq!(OriginPattern::parse(&long), Err(OriginFault::NoScheme));
    }

    #[test]
    fn origins_compare_whole_and_patterns_by_labels() {
        let matches =
            |pattern: &str, origin: &str| OriginPattern::parse(pattern).unwrap().matches(origin);
        assert!(matches(
            "https://app.example.com:443",
            "https://app.example.com"
        ));
        for origin in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://evil.example/https://app.example.com",
            "https://APP.example.com",
            "https://app.example.com.",
            "null",
            "",
        ] {
            assert!(!matches("https://app.example.com", origin), "{origin}");
        }
        for origin in ["https://a.example.com", "https://a.b.example.com"] {
            assert!(matches("https://*.example.com", origin), "{origin}");
        }
        for origin in [
            "https://example.com",
            "https://badexample.com",
            "https://.example.com",
            "https://a.example.com:8443",
            "https://a.example.com:443",
            "http://a.example.com",
            "https://a.example.com.evil.example",
            "https://a.example.com.",
            "https://A.example.com",
            "https://x@a.example.com",
            "null",
        ] {
            assert!(!matches("https://*.example.com", origin), "{origin}");
        }
        assert!(matches(
            "https://*.example.com:8443",
            "https://a.example.com:8443"
        ));
        assert!(!matches(
            "https://*.example.com:8443",
            "https://a.example.com"
        ));
        assert!(matches("*", "https://evil.example"));
    }

    #[test]
    fn plain_http_is_for_loopback() {
        let plain = |text: &str| OriginPattern::parse(text).unwrap().is_plain_http();
        for text in [
            "http://localhost:5173",
            "http://app.localhost",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://*.localhost",
            "http://*.app.localhost",
            "https://app.example.com",
            "https://*.example.com",
            "*",
        ] {
            assert!(!plain(text), "{text}");
        }
        for text in [
            "http://app.example.com",
            "http://10.0.0.7:3000",
            "http://*.example.com",
            "http://localhost.example.com",
            "http://*.localhost.example.com",
            "http://*.my-localhost.example",
        ] {
            assert!(plain(text), "{text}");
        }
    }
}
