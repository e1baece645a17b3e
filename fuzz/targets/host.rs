//! A host and a pattern of hosts, a line each: both have one spelling, another library reads the
//! same host, and a pattern is for whole labels.

use portcullis_gateway::fuzzing::{host, host_matches, host_pattern};
use std::net::IpAddr;
use url::Url;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (written, pattern) = text.split_once('\n').unwrap_or((text, "*.example.com"));
    let Some((name, authority)) = host(written) else {
        assert_eq!(host_matches(pattern, written), None);
        return;
    };
    let read = Some((name.clone(), authority.clone()));
    assert_eq!(host(&authority), read, "twice is as once");
    assert_eq!(host(&written.to_ascii_uppercase()), read);
    let port = authority
        .strip_prefix(&*name)
        .expect("the name comes first");
    if !name.starts_with('[') {
        assert_eq!(
            host(&format!("{name}.{port}")),
            read,
            "a final dot makes no difference"
        );
    }
    another_reading(written, &name, port);
    let Some(spelling) = host_pattern(pattern) else {
        return;
    };
    assert_eq!(
        host_pattern(&spelling).as_ref(),
        Some(&spelling),
        "twice is as once"
    );
    let is_for = match spelling.strip_prefix('*') {
        Some(below) => {
            assert!(below.starts_with('.') && below.parse::<IpAddr>().is_err());
            name.strip_suffix(below)
                .is_some_and(|label| !label.is_empty())
        }
        None => spelling == name,
    };
    assert_eq!(
        host_matches(pattern, written),
        Some(is_for),
        "{pattern} {written}"
    );
    assert_eq!(
        host_matches(&spelling, &authority),
        Some(is_for),
        "{pattern} {written}"
    );
}

/// The host as browsers and most servers read it.
fn another_reading(written: &str, name: &str, port: &str) {
    let Ok(url) = Url::parse(&format!("ws://{written}/")) else {
        // That library looks into Punycode, and refuses what it does not stand for.
        assert!(name.contains("xn--"), "another library refuses {written}");
        return;
    };
    match url.host().expect("a URL of this scheme has a host") {
        url::Host::Domain(domain) => assert_eq!(domain.strip_suffix('.').unwrap_or(domain), name),
        url::Host::Ipv4(address) => assert_eq!(address.to_string(), name),
        url::Host::Ipv6(address) => assert_eq!(format!("[{address}]"), name),
    }
    let port = port
        .strip_prefix(':')
        .map_or(80, |port| port.parse().expect("a port is a number"));
    assert_eq!(url.port_or_known_default(), Some(port));
}
