//! The host of a redirect URI on this machine, and how it is listened on.

use portcullis_core::ConfigError;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;
use url::{Host, Url};

/// How a redirect URI names this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoopbackHost {
    /// The name. A browser may take it for either address.
    Localhost,
    /// An address.
    Address(IpAddr),
}

/// How often another free port is tried where the first is taken on the second address.
const ATTEMPTS: usize = 8;

impl LoopbackHost {
    /// Listens on this port, or on a free one for 0.
    pub(super) async fn bind(&self, port: u16) -> io::Result<Vec<TcpListener>> {
        match self {
            Self::Address(address) => Ok(vec![TcpListener::bind((*address, port)).await?]),
            Self::Localhost => bind_both(port).await,
        }
    }

    /// As it stands in a redirect URI and in the header `Host`.
    pub(super) fn with_port(&self, port: u16) -> String {
        match self {
            Self::Localhost => format!("localhost:{port}"),
            Self::Address(address) => SocketAddr::new(*address, port).to_string(),
        }
    }
}

/// The same port of both addresses. A machine without one of them has the other. A port that
/// another program has on one of them is taken: the browser might bring the code there.
async fn bind_both(port: u16) -> io::Result<Vec<TcpListener>> {
    let mut attempts = ATTEMPTS;
    loop {
        attempts = attempts.saturating_sub(1);
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
            Err(error) if is_taken(&error) && port == 0 && attempts > 0 => {}
            Err(error) if is_taken(&error) || first.is_none() => return Err(error),
            Err(_) => return Ok(first.into_iter().collect()),
        }
    }
}

/// Whether the address is there, and not free.
fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrInUse | ErrorKind::PermissionDenied
    )
}

/// A redirect URI that leads back to this machine, in clear: nothing leaves it.
pub(super) fn loopback_url(text: &str) -> Result<(Url, LoopbackHost), ConfigError> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "http" && url.fragment().is_none());
    let host = url
        .as_ref()
        .and_then(Url::host)
        .and_then(|host| match host {
            Host::Domain("localhost") => Some(LoopbackHost::Localhost),
            Host::Ipv4(address) if address.is_loopback() => {
                Some(LoopbackHost::Address(address.into()))
            }
            Host::Ipv6(address) if address.is_loopback() => {
                Some(LoopbackHost::Address(address.into()))
            }
            _ => None,
        });
    url.zip(host).ok_or_else(|| {
        let expected =
            "a redirect URI that leads back to this machine: http, and 127.0.0.1, [::1] or \
                localhost";
        let cure = "write what is registered at the provider, such as \
            http://127.0.0.1:8765/callback";
        ConfigError::expected("redirect_uri", expected).found(text).help(cure)
    })
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
