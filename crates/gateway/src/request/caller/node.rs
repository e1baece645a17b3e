//! One address as proxies write it: alone, with a port, in brackets, with a zone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may stand behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// A number.
    Number,
    /// A number, or a name of the proxy's own such as `_p1` (RFC 7239, section 6.2).
    NumberOrName,
}

/// Reads an address in canonical form. `None` for whatever is none: names, `unknown`, rubbish, and
/// the unspecified address, from which nobody calls.
pub(super) fn address(bytes: &[u8], port: Port) -> Option<IpAddr> {
    let text = std::str::from_utf8(bytes).ok()?;
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (inside, rest) = rest.split_once(']')?;
        match rest.strip_prefix(':') {
            Some(number) if is_port(number, port) => {}
            None if rest.is_empty() => {}
            _ => return None,
        }
        IpAddr::V6(v6(inside)?)
    } else if let Some((host, number)) =
        text.split_once(':').filter(|(_, rest)| !rest.contains(':'))
    {
        is_port(number, port)
            .then(|| host.parse::<Ipv4Addr>().ok())
            .flatten()?
            .into()
    } else {
        text.parse::<Ipv4Addr>()
            .map(IpAddr::V4)
            .ok()
            .or_else(|| v6(text).map(IpAddr::V6))?
    };
    Some(address.to_canonical()).filter(|address| !address.is_unspecified())
}

/// A zone says by which interface of the proxy a neighbour came (RFC 4007, section 11): only links
/// have them.
fn v6(text: &str) -> Option<Ipv6Addr> {
    let Some((address, zone)) = text.split_once('%') else {
        return text.parse().ok();
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~');
    let address: Ipv6Addr = address.parse().ok()?;
    let is_zone = (1..=64).contains(&zone.len()) && zone.bytes().all(fits);
    (is_zone && address.is_unicast_link_local()).then_some(address)
}

fn is_port(text: &str, port: Port) -> bool {
    let number = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let name = || {
        text.strip_prefix('_')
            .is_some_and(|name| !name.is_empty() && name.bytes().all(fits))
    };
    (number && text.parse::<u16>().is_ok()) || (port == Port::NumberOrName && name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form_that_has_one_meaning() {
        for (text, read) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:80", Some("192.0.2.1")),
            ("192.0.2.1:65535", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("2001:DB8:0::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("[::ffff:c000:201]:1", Some("192.0.2.1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("[fe80::1%en0.1]:1", Some("fe80::1")),
            ("::1", Some("::1")),
            ("", None),
            ("unknown", None),
            ("_hidden", None),
            ("localhost", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:65536", None),
            ("192.0.2.1:080000", None),
            ("192.0.2.1:+80", None),
            ("192.0.2.1:_p", None),
            ("192.0.2.01", None),
            ("192.0.2", None),
            ("3221225985", None),
            ("0xc0000201", None),
            ("192.0.2.1 ", None),
            ("192.0.2.1/32", None),
            ("[192.0.2.1]", None),
            ("[2001:db8::1", None),
            ("[2001:db8::1]80", None),
            ("[2001:db8::1]:", None),
            ("2001:db8::1]", None),
            ("2001:db8::1%eth0", None),
            ("fe80::1%", None),
            ("fe80::1%a b", None),
            ("0.0.0.0", None),
            ("::", None),
            ("::ffff:0.0.0.0", None),
            ("\"192.0.2.1\"", None),
        ] {
            let read = read.map(|it| it.parse::<IpAddr>().unwrap());
            assert_eq!(address(text.as_bytes(), Port::Number), read, "{text}");
        }
        assert_eq!(address(b"\xff", Port::Number), None);
        assert_eq!(address(b"192.0.2.1\xff", Port::Number), None);
        assert!(address(b"192.0.2.1:_p1", Port::NumberOrName).is_some());
        assert!(address(b"192.0.2.1:_", Port::NumberOrName).is_none());
    }
}
