//! Which addresses are out on the internet, and which are inside somebody's network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Whether an address is globally reachable: not loopback, private, link-local, shared, reserved or
/// multicast, in any of the forms that carry an IPv4 address inside IPv6.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    // The special-purpose registry of IANA (RFC 6890). 169.254.0.0/16 matters most: clouds hand
    // out credentials at 169.254.169.254.
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // IPv4 mapped (::ffff:a.b.c.d), compatible (::a.b.c.d) and translated (64:ff9b::a.b.c.d)
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(embedded_v4(high, low))
        }
        // 6to4 carries the IPv4 address of its router
        [0x2002, high, low, ..] => is_public_v4(embedded_v4(high, low)),
        // Teredo and documentation
        [0x2001, 0 | 0xdb8, ..] | [0x3fff, ..] => false,
        // all of global unicast lies in 2000::/3
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// The IPv4 address that two segments of an IPv6 address carry.
fn embedded_v4(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

/// Whether the host of a URL is an address that is not public, or a name for this machine.
pub fn is_inside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => !is_public(address.into()),
        Some(Host::Ipv6(address)) => !is_public(address.into()),
        Some(Host::Domain(name)) => {
            // A final dot makes a name absolute (RFC 1034, section 3.1) and changes no address.
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost")
                || name.to_ascii_lowercase().ends_with(".localhost")
        }
        // Without a host nothing shows that it leads outside.
        None => true,
    }
}

/// Parses an absolute URL exactly as written: the URL parser alone would mend `https:///x` and
/// `https:x`.
///
/// # Errors
///
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<Url, &'static str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest.and_then(|rest| rest.bytes().next()) {
        Some(first) if !b"/\\?#".contains(&first) => {
            Url::parse(text).map_err(|_| "it is not a URL")
        }
        _ => Err("it is not an absolute https URL"),
    }
}

/// Whether a URL may be fetched at all: `https`, or `http` on loopback; no user information.
///
/// # Errors
///
/// Why it may not.
pub fn fetchable(url: &Url) -> Result<(), &'static str> {
    fetchable_over(url, false)
}

/// Like [`fetchable`]; with `plain_http`, `http` is allowed on any host.
///
/// # Errors
///
/// Why it may not be fetched.
pub fn fetchable_over(url: &Url, plain_http: bool) -> Result<(), &'static str> {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // Not `*.localhost`: some resolvers ask the network for those.
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => return Err("it has no host"),
    };
    // Credentials in a URL end up in logs, and `https://idp.example@evil` deceives the eye.
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds user information");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback || plain_http => Ok(()),
        _ => Err("it is not https"),
    }
}

/// Parses a URL that may be fetched.
///
/// # Errors
///
/// What is wrong with the text, or why its URL may not be fetched.
pub fn parse_fetchable(text: &str, plain_http: bool) -> Result<Url, &'static str> {
    let url = parse(text)?;
    fetchable_over(&url, plain_http)?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_addresses_in_every_form() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    /// The corpus: names are decided when they are resolved, so only what is written in the URL is
    /// judged here.
    #[test]
    fn outbound_urls_of_the_corpus() {
        let document = portcullis_testkit::corpus::document("outbound-urls.json");
        let mut judged = 0;
        for row in document["vectors"].as_array().unwrap() {
            let text = row["url"].as_str().unwrap();
            let by_name = [
                "metadata.google.internal",
                "kubernetes.default.svc",
                "rebind.",
                "private-a-",
                "redirect-to-",
            ];
            let issuer_only = ["https://idp.example/#f", "https://idp.example/?q=1"];
            if by_name.iter().any(|name| text.contains(name)) || issuer_only.contains(&text) {
                continue;
            }
            let allowed = parse(text).is_ok_and(|url| fetchable(&url).is_ok() && !is_inside(&url));
            assert_eq!(allowed, row["expect"] == "allow", "{text}");
            judged += 1;
        }
        assert_eq!(judged, 45);
    }

    #[test]
    fn only_https_and_loopback_are_fetched() {
        let check = |text: &str| fetchable(&Url::parse(text).unwrap());
        for text in [
            "https://idp.example/jwks",
            "http://127.0.0.1:9/jwks",
            "http://localhost/x",
            "http://[::1]/x",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in [
            "http://idp.example/jwks",
            "https://u:p@idp.example/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        // The URL parser resolves the odd spellings of IPv4.
        assert!(is_inside(&Url::parse("https://2130706433/").unwrap()));
        assert!(is_inside(&Url::parse("https://0x7f.1/").unwrap()));
    }
}
