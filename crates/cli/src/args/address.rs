//! Addresses as people type them: a port alone, a host with its port.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An address to listen on: `127.0.0.1:9001`, or a port alone, on loopback.
///
/// # Errors
///
/// What was expected.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        // A port alone must not open a door to the network.
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    // Not resolved: the answer could be another machine, or IPv6 where IPv4 was meant.
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    let example = "expected a port such as 9001, or an address and a port such as 127.0.0.1:9001";
    match (text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
        (Ok(address), _) => Ok(address),
        (Err(_), Ok(_)) => Err(format!("{example}, found an address without a port")),
        (Err(_), Err(_)) => Err(example.to_owned()),
    }
}

/// Where requests go: a URL, the name of an `[[upstream]]`, or a host with its port, or a port
/// alone, both over http.
///
/// # Errors
///
/// None: whether it can be used is for the settings to say.
// The parsers of clap return results.
#[expect(clippy::unnecessary_wraps, reason = "clap takes a fallible parser")]
pub(super) fn upstream(text: &str) -> Result<String, String> {
    if text.parse::<u16>().is_ok() {
        return Ok(format!("http://127.0.0.1:{text}"));
    }
    // Without a port, the word may be the name of an `[[upstream]]`.
    let has_port = |rest: &str| {
        let (_, port) = rest.rsplit_once(':').unwrap_or_default();
        port.parse::<u16>().is_ok()
    };
    let host = text.split('/').next().unwrap_or_default();
    match !text.contains("://") && has_port(host) {
        true => Ok(format!("http://{text}")),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_loopback() {
        for (text, expected) in [
            ("9001", Some("127.0.0.1:9001")),
            ("localhost:9001", Some("127.0.0.1:9001")),
            ("127.0.0.1:0", Some("127.0.0.1:0")),
            ("0.0.0.0:80", Some("0.0.0.0:80")),
            ("[::1]:80", Some("[::1]:80")),
            // Elsewhere it means every interface: whoever writes it has to say so here.
            (":9001", None),
            ("127.0.0.1", None),
            ("api.example:80", None),
            ("99999", None),
        ] {
            let found = listen(text).ok().map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_upstream_needs_no_scheme() {
        for (text, expected) in [
            ("3000", "http://127.0.0.1:3000"),
            ("localhost:3000", "http://localhost:3000"),
            ("api:3000/v1", "http://api:3000/v1"),
            ("[::1]:3000", "http://[::1]:3000"),
            ("https://api.example", "https://api.example"),
            ("orders", "orders"),
        ] {
            assert_eq!(upstream(text).as_deref(), Ok(expected), "{text}");
        }
    }
}
