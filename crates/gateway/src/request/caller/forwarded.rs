//! `Forwarded` (RFC 7239), element by element from the right.
//!
//! The proxy next to the gateway writes the last element. A quote that a client leaves open before
//! it must not swallow that, so elements are split from the right: a comma parts two of them unless
//! it is between quotes, seen from there.

use super::node::{self, Port};
use http::header::{FORWARDED, HeaderMap, HeaderValue};
use std::net::IpAddr;

/// The caller of each element, from the right; `None` for an element that is unreadable or names
/// nobody.
pub(super) fn from_the_right(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values = headers
        .get_all(FORWARDED)
        .iter()
        .rev()
        .map(HeaderValue::as_bytes);
    // Empty elements count for nothing (RFC 9110, section 5.6.1.2).
    let elements = values
        .flat_map(Split::elements)
        .map(<[u8]>::trim_ascii);
    elements
        .filter(|element| !element.is_empty())
        .map(caller)
}

/// The parts of a value from the right, of which none is split between quotes.
struct Split<'v> {
    left: Option<&'v [u8]>,
    by: u8,
}

impl<'v> Split<'v> {
    fn elements(value: &'v [u8]) -> Self {
        Self {
            left: Some(value),
            by: b',',
        }
    }

    fn pairs(element: &'v [u8]) -> Self {
        Self {
            left: Some(element),
            by: b';',
        }
    }
}

impl<'v> Iterator for Split<'v> {
    type Item = &'v [u8];

    fn next(&mut self) -> Option<&'v [u8]> {
        let left = self.left.take()?;
        let mut quoted = false;
        for (at, byte) in left.iter().enumerate().rev() {
            if *byte == b'"' && !is_escaped(left, at) {
                quoted = !quoted;
            } else if *byte == self.by && !quoted {
                let (before, after) = left.split_at_checked(at)?;
                // The separator goes; what a client wrote before it comes next, if at all.
                self.left = Some(before);
                return after.get(1..);
            }
        }
        Some(left)
    }
}

/// Whether an odd number of backslashes stands before a byte.
fn is_escaped(value: &[u8], at: usize) -> bool {
    let before = value.get(..at).unwrap_or_default();
    let mut odd = false;
    for byte in before.iter().rev() {
        if *byte != b'\\' {
            break;
        }
        odd = !odd;
    }
    odd
}

/// The address after `for`, which an element has once.
fn caller(element: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    for pair in Split::pairs(element).map(<[u8]>::trim_ascii) {
        if pair.is_empty() {
            continue;
        }
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(at)?;
        // Readers differ in which of two callers in one element counts, so neither does.
        if name.eq_ignore_ascii_case(b"for") && found.replace(value.get(1..)?).is_some() {
            return None;
        }
    }
    // Many proxies leave out the quotes that colons and brackets require.
    let value = found?;
    let value = match value.strip_prefix(b"\"") {
        Some(rest) => rest.strip_suffix(b"\"")?,
        None => value,
    };
    node::address(value, Port::NumberOrName)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static [u8]) -> Vec<Option<String>> {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, HeaderValue::from_bytes(value).unwrap());
        from_the_right(&headers)
            .map(|it| it.map(|it| it.to_string()))
            .collect()
    }

    #[test]
    fn elements_are_read_from_the_right() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read(b"for=192.0.2.1, For=\"[2001:db8::1]:80\";proto=https;by=_x, , for=192.0.2.2:1"),
            [some("192.0.2.2"), some("2001:db8::1"), some("192.0.2.1")]
        );
        // What a client leaves open ends where the next element of a proxy begins.
        assert_eq!(
            read(b"for=\"evil, for=192.0.2.1"),
            [some("192.0.2.1"), None]
        );
        assert_eq!(
            read(b"for=\"a\\\", for=192.0.2.9\\\"\", for=192.0.2.1"),
            [some("192.0.2.1"), None]
        );
        assert_eq!(read(b"\xff;, for=192.0.2.1"), [some("192.0.2.1"), None]);
        assert_eq!(
            read(b"for=192.0.2.1;host=\"a, for=192.0.2.9\""),
            [some("192.0.2.1")]
        );
        for unreadable in [
            &b"for=unknown"[..],
            b"for=_hidden",
            b"for=\"192.0.2.1:_a/b\"",
            b"proto=https",
            b"for",
            b"for=",
            b"for=192.0.2.1;for=192.0.2.2",
            b"for=192.0.2.1;x",
            b"for =192.0.2.1",
            b"for= 192.0.2.1",
            b"for='192.0.2.1'",
            b"for=\"192.0.2.1",
            b"for=192.0.2.1\"",
            b"for=\"\"",
            b"192.0.2.1",
        ] {
            assert_eq!(
                read(unreadable),
                [None],
                "{}",
                String::from_utf8_lossy(unreadable)
            );
        }
    }
}
