//! One address as proxies write it: alone, with a port, in brackets, with a zone.

use std::net::{IpAddr, Ipv6Addr};

/// The form of a port that may follow an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// A number.
    Number,
    /// A number, or a name of the proxy's own such as `_p1` (RFC 7239, section 6.2).
    NumberOrName,
}

/// Reads an address in canonical form. `None` for anything else: names, `unknown`, rubbish, and the
/// unspecified address, from which nobody calls.
pub(super) fn address(bytes: &[u8], port: Port) -> Option<IpAddr> {
    let text = std::str::from_utf8(bytes).ok()?;
    let address = match text.strip_prefix('[') {
        Some(rest) => parse_bracketed(rest, port)?,
        None => parse_bare(text, port)?,
    };
    // So `::ffff:192.0.2.1` is found in the IPv4 networks of the settings.
    let address = address.to_canonical();
    if address.is_unspecified() {
        return None;
    }
    Some(address)
}

/// An address of IPv6 in brackets, behind the opening one, and perhaps a port.
fn parse_bracketed(rest: &str, port: Port) -> Option<IpAddr> {
    let (inside, rest) = rest.split_once(']')?;
    match rest.strip_prefix(':') {
        Some(number) if is_port(number, port) => {}
        None if rest.is_empty() => {}
        _ => return None,
    }
    parse_v6(inside).map(IpAddr::V6)
}

/// An address of IPv4, perhaps with a port, or one of IPv6 without a port.
fn parse_bare(text: &str, port: Port) -> Option<IpAddr> {
    match text.split_once(':') {
        None => text.parse().map(IpAddr::V4).ok(),
        // A second colon: without brackets a port could not be told from the address.
        Some((_, rest)) if rest.contains(':') => parse_v6(text).map(IpAddr::V6),
        Some((host, number)) if is_port(number, port) => host.parse().map(IpAddr::V4).ok(),
        Some(_) => None,
    }
}

/// An address of IPv6, without its zone. A zone names the interface by which a neighbour came (RFC
/// 4007, section 11), so only link-local addresses have one.
fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    let Some((address, zone)) = text.split_once('%') else {
        return text.parse().ok();
    };
    let address: Ipv6Addr = address.parse().ok()?;
    let is_zone = (1..=64).contains(&zone.len()) && zone.bytes().all(is_zone_byte);
    (is_zone && address.is_unicast_link_local()).then_some(address)
}

fn is_zone_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~')
}

fn is_port(text: &str, port: Port) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            port == Port::NumberOrName && !name.is_empty() && name.bytes().all(is_name_byte)
        }
        // `u16::from_str` alone would take a sign and any number of zeros.
        None => {
            (1..=5).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && text.parse::<u16>().is_ok()
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
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
