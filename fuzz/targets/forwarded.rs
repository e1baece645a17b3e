//! What a client writes where proxies tell the caller, a line for each header field: an address
//! that stands left of an untrusted hop is never taken for the caller's.

use crate::shared::choice;
use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_gateway::fuzzing::caller;
use std::net::{IpAddr, Ipv4Addr};

const TRUSTED: &[&str] = &["10.0.0.0/8", "2001:db8:aaaa::/48"];
const NEIGHBOUR: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
const LIST: HeaderName = HeaderName::from_static("x-forwarded-for");
const ELEMENTS: HeaderName = http::header::FORWARDED;
const SINGLE: HeaderName = HeaderName::from_static("x-real-ip");

/// The untrusted hop as proxies write it: in the list, in an element, and what it is.
const HOPS: &[(&str, &str, &str)] = &[
    ("198.51.100.7", "for=198.51.100.7", "198.51.100.7"),
    (
        "198.51.100.7:4711",
        "for=\"198.51.100.7:4711\"",
        "198.51.100.7",
    ),
    ("2001:db8::7", "for=\"[2001:db8::7]\"", "2001:db8::7"),
    (
        "[2001:db8::7]:80",
        "for=\"[2001:db8::7]:80\";proto=https",
        "2001:db8::7",
    ),
    (
        "::ffff:198.51.100.7",
        "proto=https;For=198.51.100.7;by=_p",
        "198.51.100.7",
    ),
];

pub(crate) fn run(data: &[u8]) {
    let (selector, data) = choice(data);
    let values: Vec<HeaderValue> = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let (in_list, in_element, hop) = HOPS[usize::from(selector) % HOPS.len()];
    let (is_joined, proxies) = (selector & 0x80 != 0, (selector & 0x40 != 0).then_some(2));
    let hop: IpAddr = hop.parse().expect("an address");
    // The first proxy writes whom it sees, the second one the first.
    for (name, by_proxies) in [
        (LIST, format!("{in_list}, 10.0.0.2")),
        (ELEMENTS, format!("{in_element}, for=10.0.0.2")),
    ] {
        let headers = appended(&name, &values, &by_proxies, is_joined);
        assert_eq!(
            caller(TRUSTED, &name, proxies, NEIGHBOUR, &headers).0,
            Some(hop),
            "{headers:?}"
        );
        let direct = caller(TRUSTED, &name, proxies, STRANGER, &headers);
        assert_eq!(
            direct,
            (Some(STRANGER), String::new()),
            "the word of a stranger was taken"
        );
    }
    for name in [LIST, ELEMENTS, SINGLE] {
        told_on(&name, &as_sent(&name, &values), proxies);
    }
    by_themselves(&as_sent(&LIST, &values));
}

/// What a client sends, and what the proxies add: as a field of their own, or behind the last one.
fn appended(name: &HeaderName, sent: &[HeaderValue], added: &str, is_joined: bool) -> HeaderMap {
    let mut sent = sent.to_vec();
    let last = if is_joined { sent.pop() } else { None };
    let mut value = last.map_or_else(Vec::new, |last| [last.as_bytes(), b", "].concat());
    value.extend(added.as_bytes());
    sent.extend(HeaderValue::from_bytes(&value));
    as_sent(name, &sent)
}

fn as_sent(name: &HeaderName, values: &[HeaderValue]) -> HeaderMap {
    values
        .iter()
        .map(|value| (name.clone(), value.clone()))
        .collect()
}

/// The upstream is told the same: it finds the same caller in it, by the same rule.
fn told_on(name: &HeaderName, headers: &HeaderMap, proxies: Option<usize>) {
    let (found, before) = caller(TRUSTED, name, proxies, NEIGHBOUR, headers);
    let is_known = |member: &str| {
        member
            .parse::<IpAddr>()
            .is_ok_and(|it| it == it.to_canonical())
    };
    assert!(
        before
            .split(", ")
            .all(|member| member == "unknown" || is_known(member)),
        "{before}"
    );
    let told = HeaderMap::from_iter([(LIST, HeaderValue::from_str(&before).expect("addresses"))]);
    let proxies = proxies.filter(|_| *name != SINGLE);
    assert_eq!(
        caller(TRUSTED, &LIST, proxies, NEIGHBOUR, &told).0,
        found,
        "{before}"
    );
}

/// The members of the list, each read by itself: the caller is the first from the right that is not
/// trusted, and nobody where that one cannot be read.
fn by_themselves(headers: &HeaderMap) {
    let is_trusted = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(address) => address.segments()[..3] == [0x2001, 0x0db8, 0xaaaa],
    };
    let mut expected = None;
    let values = headers.get_all(LIST).iter().rev();
    for member in values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b',')) {
        if member.trim_ascii().is_empty() {
            continue;
        }
        let alone = as_sent(
            &SINGLE,
            &[HeaderValue::from_bytes(member).expect("a part of a value")],
        );
        expected = caller(TRUSTED, &SINGLE, None, NEIGHBOUR, &alone).0;
        if !expected.is_some_and(is_trusted) {
            break;
        }
    }
    assert_eq!(
        caller(TRUSTED, &LIST, None, NEIGHBOUR, headers).0,
        expected,
        "{headers:?}"
    );
}
