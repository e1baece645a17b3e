//! The host of a redirect URI on this machine, and its listeners.

use portcullis_core::ConfigError;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;
use url::{Host, Url};

/// The way in which a redirect URI names this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoopbackHost {
    /// `localhost`. A browser may resolve it to either address.
    Localhost,
    /// An address.
    Address(IpAddr),
}

/// The number of free ports that are tried until both addresses have one.
const ATTEMPTS: usize = 8;

impl LoopbackHost {
    /// Listens on this port, or on a free one for 0.
    pub(super) async fn bind(&self, port: u16) -> io::Result<Vec<TcpListener>> {
        match self {
            Self::Address(address) => Ok(vec![TcpListener::bind((*address, port)).await?]),
            Self::Localhost => bind_both(port).await,
        }
    }

    /// The form in a redirect URI and in the header `Host`.
    pub(super) fn with_port(&self, port: u16) -> String {
        match self {
            Self::Localhost => format!("localhost:{port}"),
            Self::Address(address) => SocketAddr::new(*address, port).to_string(),
        }
    }
}

/// Listens on the same port of both addresses. A machine without one of them gets the other.
async fn bind_both(port: u16) -> io::Result<Vec<TcpListener>> {
    let mut attempts = ATTEMPTS;
    loop {
        attempts = attempts.saturating_sub(1);
        // A port counts as taken if another program has it on either address: the browser might
        // take the code there.
        let first = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Err(error) if !is_taken(&error) => None,
            bound => Some(bound?),
        };
        let chosen = match &first {
            Some(first) => first.local_addr()?.port(),
            None => port,
        };
        match TcpListener::bind((Ipv6Addr::LOCALHOST, chosen)).await {
            Ok(second) => return Ok(first.into_iter().chain([second]).collect()),
            // Port 0 gave a port that is free for IPv4 only: another attempt gives another port.
            Err(error) if is_taken(&error) && port == 0 && attempts > 0 => {}
            Err(error) if is_taken(&error) || first.is_none() => return Err(error),
            Err(_) => return Ok(first.into_iter().collect()),
        }
    }
}

/// Whether the address exists, and its port is not free.
fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrInUse | ErrorKind::PermissionDenied
    )
}

/// A redirect URI to this machine, over http: the request never leaves the machine.
pub(super) fn loopback_url(text: &str) -> Result<(Url, LoopbackHost), ConfigError> {
    if let Ok(url) = Url::parse(text)
        && url.scheme() == "http"
        && url.fragment().is_none()
        && let Some(host) = loopback_host(&url)
    {
        return Ok((url, host));
    }
    let expected = "a redirect URI to this machine: http, with 127.0.0.1, [::1] or localhost";
    let help = "write the redirect URI that is registered at the provider, such as \
        http://127.0.0.1:8765/callback";
    let fault = ConfigError::expected("redirect_uri", expected);
    Err(fault.found(text).help(help))
}

fn loopback_host(url: &Url) -> Option<LoopbackHost> {
    let address: IpAddr = match url.host()? {
        Host::Domain("localhost") => return Some(LoopbackHost::Localhost),
        // Any other name could resolve to another machine.
        Host::Domain(_) => return None,
        Host::Ipv4(address) => address.into(),
        Host::Ipv6(address) => address.into(),
    };
    address
        .is_loopback()
        .then_some(LoopbackHost::Address(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_leads_back_to_this_machine() {
        for (text, host) in [
            ("http://localhost:8765/callback", "localhost:1"),
            ("http://LOCALHOST", "localhost:1"),
            ("http://127.0.0.1:8765/", "127.0.0.1:1"),
            ("http://127.0.0.2/x", "127.0.0.2:1"),
            ("http://[::1]:8765/callback?x=y", "[::1]:1"),
            ("http://[0:0:0:0:0:0:0:1]/", "[::1]:1"),
        ] {
            assert_eq!(loopback_url(text).unwrap().1.with_port(1), host, "{text}");
        }
        for text in [
            "https://localhost:8765/",
            "http://localhost.example/",
            "http://192.0.2.1:8765/",
            "http://[::2]:8765/",
            "http://0.0.0.0:1/",
            "http://localhost:8765/#x",
            "app:/callback",
            "",
        ] {
            assert!(loopback_url(text).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_port_that_another_program_has_on_either_address_is_taken() {
        for address in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ] {
            // A machine without this address cannot have it taken.
            let Ok(other) = TcpListener::bind((address, 0)).await else {
                continue;
            };
            let port = other.local_addr().unwrap().port();
            assert!(
                LoopbackHost::Localhost.bind(port).await.is_err(),
                "{address}"
            );
        }
    }
}
