//! Each fault of the network against real sockets, through the client that goes out.

use super::super::{Fetch, Proxies, Reach, Trust};
use super::*;
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server whose every connection gets these bytes, or is closed at once.
async fn raw_server(response: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            _ = stream.read(&mut [0; 4_096]).await;
            _ = stream.write_all(response).await;
        }
    });
    port
}

/// A server with this certificate, and the certificate of its authority in PEM.
async fn tls_server(change: impl FnOnce(&mut rcgen::CertificateParams)) -> (u16, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut leaf);
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client refuses the handshake, which is what is tested.
            _ = acceptor.accept(stream).await;
        }
    });
    (port, pem)
}

/// A port that nothing listens at.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

async fn fault(fetch: &Fetch, url: &str) -> (String, &'static str) {
    let url = Url::parse(url).unwrap();
    let fault = fetch
        .get(&url, Reach::Anywhere, None)
        .await
        .unwrap_err();
    (fault.reason, fault.cure.unwrap_or_default())
}

fn direct(pem: Option<&str>) -> Fetch {
    let trust = match pem {
        Some(pem) => Trust::authorities(pem.as_bytes()).unwrap(),
        None => Trust::default(),
    };
    Fetch::through(Arc::new(Proxies::of(|_| None)), 1_000).with_trust(&trust)
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_named() {
    let port = free_port().await;
    let (reason, cure) = fault(&direct(None), &format!("http://127.0.0.1:{port}/x")).await;
    assert_eq!(
        reason,
        format!("nothing listens at 127.0.0.1:{port}: the connection was refused")
    );
    assert_eq!(cure, NetworkCause::Refused.cure());
}

#[tokio::test]
async fn a_name_without_an_address_is_named() {
    // RFC 6761, section 6.4: no resolver knows a name under `invalid`.
    let (reason, cure) = fault(&direct(None), "https://idp.invalid/").await;
    assert_eq!(reason, "the name of idp.invalid cannot be resolved");
    assert_eq!(cure, NetworkCause::UnknownName.cure());
}

#[tokio::test]
async fn the_fault_of_a_certificate_is_named() {
    let (port, pem) = tls_server(|_| {}).await;
    let url = format!("https://localhost:{port}/");
    let (reason, cure) = fault(&direct(None), &url).await;
    assert_eq!(
        reason,
        format!(
            "the certificate of localhost:{port} is from an authority that is not trusted here"
        )
    );
    assert!(cure.contains("--ca-file"), "{cure}");
    // For another name, by the same authority.
    let (reason, cure) = fault(&direct(Some(&pem)), &format!("https://127.0.0.1:{port}/")).await;
    assert_eq!(
        reason,
        format!("the certificate of 127.0.0.1:{port} is for localhost")
    );
    assert_eq!(cure, NetworkCause::OtherName.cure());
}

#[tokio::test]
async fn the_time_of_a_certificate_is_named() {
    let past = |leaf: &mut rcgen::CertificateParams| {
        leaf.not_before = rcgen::date_time_ymd(2020, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(2020, 2, 1);
    };
    let future = |leaf: &mut rcgen::CertificateParams| {
        leaf.not_before = rcgen::date_time_ymd(2090, 1, 1);
    };
    let (port, pem) = tls_server(past).await;
    let (reason, cure) = fault(&direct(Some(&pem)), &format!("https://localhost:{port}/")).await;
    assert!(
        reason.contains(" expired ") && reason.ends_with(" days ago"),
        "{reason}"
    );
    assert_eq!(cure, NetworkCause::Expired.cure());
    let (port, pem) = tls_server(future).await;
    let (reason, _) = fault(&direct(Some(&pem)), &format!("https://localhost:{port}/")).await;
    assert!(
        reason.contains(" is not valid for another ") && reason.ends_with(" days"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_certificate_of_an_authority_is_told_from_a_servers() {
    let as_authority = |leaf: &mut rcgen::CertificateParams| {
        leaf.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    };
    let (port, pem) = tls_server(as_authority).await;
    let (reason, cure) = fault(&direct(Some(&pem)), &format!("https://localhost:{port}/")).await;
    assert!(
        reason.ends_with("is that of an authority, not of a server"),
        "{reason}"
    );
    assert_eq!(cure, NetworkCause::Certificate.cure());
}

#[tokio::test]
async fn another_protocol_is_told() {
    let port = raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let (reason, cure) = fault(&direct(None), &format!("https://localhost:{port}/")).await;
    assert_eq!(reason, format!("localhost:{port} does not speak TLS"));
    assert_eq!(cure, NetworkCause::OtherProtocol.cure());
    let port = raw_server(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    let (reason, _) = fault(&direct(None), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(reason, format!("127.0.0.1:{port} does not speak HTTP"));
    let port = raw_server(b"").await;
    let (reason, _) = fault(&direct(None), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(
        reason,
        format!("127.0.0.1:{port} closed the connection before it answered")
    );
}

#[tokio::test]
async fn a_proxy_is_named_without_its_credentials() {
    let dead = free_port().await;
    for (proxy, expected) in [
        (dead, "nothing listens at"),
        (
            raw_server(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await,
            "proxy auth",
        ),
    ] {
        let address = format!("http://user:secret@127.0.0.1:{proxy}");
        let proxies = Proxies::of(|name| (name == "HTTPS_PROXY").then(|| address.clone()));
        let fetch = Fetch::through(Arc::new(proxies), 1_000);
        // An address outside: only those go through a proxy.
        let (reason, cure) = fault(&fetch, "https://9.9.9.9/").await;
        assert!(
            reason.starts_with(&format!(
                "the proxy 127.0.0.1:{proxy} gives no connection to"
            )) && reason.contains(expected)
                && !reason.contains("secret"),
            "{reason}"
        );
        assert_eq!(cure, NetworkCause::Proxy.cure());
    }
}

#[test]
fn the_libraries_words_are_kept_for_those_who_ask() {
    let inner = io::Error::new(io::ErrorKind::ConnectionRefused, "refused");
    let outer = io::Error::other(inner);
    let url = Url::parse("https://idp.example:8443/x").unwrap();
    let fault = NetworkFault::read(&url, &outer, None);
    assert!(fault.chain().contains("refused"), "{fault:?}");
    assert!(!format!("{fault}").contains("error"), "{fault}");
}
