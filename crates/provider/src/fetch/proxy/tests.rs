//! What the variables mean, and that what goes out does go through the proxy.

use super::super::{DocumentResponse, Fetch, Reach, Trust};
use super::*;
use std::sync::Mutex;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional,
};
use tokio::net::{TcpListener, TcpStream};

fn of(variables: &[(&str, &str)]) -> Proxies {
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
    Proxies::of(|name| find(name).map(|(_, value)| (*value).to_owned()))
}

fn serves(variables: &[(&str, &str)], url: &str) -> bool {
    of(variables).serve(&Url::parse(url).unwrap())
}

#[test]
fn the_variables_mean_what_they_mean_to_curl() {
    let proxy = "http://proxy.example:3128";
    for (variables, url, expected) in [
        (&[("HTTPS_PROXY", proxy)][..], "https://idp.example/", true),
        (&[("https_proxy", proxy)], "https://idp.example/", true),
        (
            &[("HTTPS_PROXY", "proxy.example:3128")],
            "https://idp.example/",
            true,
        ),
        (&[("HTTPS_PROXY", proxy)], "http://idp.example/", false),
        (&[("ALL_PROXY", proxy)], "http://idp.example/", true),
        (&[("http_proxy", proxy)], "http://idp.example/", true),
        (&[("http_proxy", proxy)], "https://idp.example/", false),
        // A client of a CGI program sets it by the header `Proxy`.
        (&[("HTTP_PROXY", proxy)], "http://idp.example/", false),
        (&[("HTTPS_PROXY", "")], "https://idp.example/", false),
        (
            &[("HTTPS_PROXY", proxy), ("NO_PROXY", "*")],
            "https://idp.example/",
            false,
        ),
        (
            &[
                ("HTTPS_PROXY", proxy),
                ("NO_PROXY", "other.example,.example"),
            ],
            "https://idp.example/",
            false,
        ),
        (
            &[("HTTPS_PROXY", proxy), ("no_proxy", "idp.example")],
            "https://login.idp.example/",
            false,
        ),
        (
            &[("HTTPS_PROXY", proxy), ("NO_PROXY", "idp.example")],
            "https://idp.example.org/",
            true,
        ),
        (
            &[("HTTPS_PROXY", proxy), ("NO_PROXY", "8.8.0.0/16")],
            "https://8.8.8.8/",
            false,
        ),
        (
            &[("HTTPS_PROXY", proxy), ("NO_PROXY", "8.8.0.0/16")],
            "https://9.9.9.9/",
            true,
        ),
        (&[], "https://idp.example/", false),
    ] {
        assert_eq!(serves(variables, url), expected, "{variables:?} {url}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_a_fault_and_nothing_shows_its_credentials() {
    for value in ["socks5://proxy.example", "http://", "http://user:secret@"] {
        let proxies = of(&[("HTTPS_PROXY", value)]);
        let fault = proxies
            .faults()
            .first()
            .unwrap_or_else(|| panic!("{value}"));
        assert_eq!(fault.place(), "HTTPS_PROXY");
        assert!(!format!("{fault} {fault:?}").contains("secret"), "{fault}");
    }
    let proxies = of(&[
        ("HTTPS_PROXY", "http://user:secret@proxy.example"),
        ("NO_PROXY", "a.example, b.example"),
    ]);
    assert!(proxies.faults().is_empty());
    assert_eq!(
        proxies.to_string(),
        "https through http://proxy.example:80; not for a.example, b.example"
    );
    assert!(!format!("{proxies:?}").contains("secret"));
}

/// A proxy that connects everything to one address, and remembers the heads of the requests.
async fn proxy(target: std::net::SocketAddr) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://user:pass@{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut client = BufReader::new(client);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    client.read_line(&mut head).await.unwrap();
                }
                seen.lock().unwrap().push(head);
                client
                    .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
                    .await
                    .unwrap();
                let mut server = TcpStream::connect(target).await.unwrap();
                _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (url, heads)
}

/// A server for `idp.invalid`, and the certificate that it is trusted by.
async fn server() -> (std::net::SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(vec!["idp.invalid".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut head = vec![0; 4_096];
                _ = stream.read(&mut head).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                _ = stream.write_all(answer).await;
                _ = stream.shutdown().await;
            });
        }
    });
    (address, made.cert.pem())
}

async fn body(fetch: &Fetch, url: &str, reach: Reach) -> Result<Vec<u8>, String> {
    match fetch.get(&Url::parse(url).unwrap(), reach, None).await {
        Ok(DocumentResponse::Document { body, .. }) => Ok(body),
        Ok(other) => Err(format!("{other:?}")),
        Err(fault) => Err(fault.to_string()),
    }
}

#[tokio::test]
async fn documents_of_outside_hosts_come_through_the_proxy() {
    let (address, pem) = server().await;
    let (proxy, heads) = proxy(address).await;
    let proxies = Arc::new(of(&[("HTTPS_PROXY", &proxy)]));
    let fetch =
        Fetch::through(proxies, 1_000).with_trust(&Trust::authorities(pem.as_bytes()).unwrap());
    for reach in [Reach::Anywhere, Reach::Outside] {
        assert_eq!(
            body(&fetch, "https://idp.invalid/keys", reach)
                .await
                .as_deref(),
            Ok(&b"{}"[..])
        );
    }
    let head = heads.lock().unwrap().first().cloned().unwrap();
    assert!(
        head.starts_with("CONNECT idp.invalid:443 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.to_ascii_lowercase()
            .contains("proxy-authorization: basic dxnlcjpwyxnz"),
        "{head}"
    );
}

/// Inside hosts are asked directly, and a public issuer still names none of them.
#[tokio::test]
async fn inside_hosts_are_never_asked_through_the_proxy() {
    let (address, pem) = server().await;
    let (proxy, heads) = proxy(address).await;
    let proxies = Arc::new(of(&[("ALL_PROXY", &proxy)]));
    let fetch =
        Fetch::through(proxies, 1_000).with_trust(&Trust::authorities(pem.as_bytes()).unwrap());
    for url in [
        format!("https://{address}/"),
        format!("https://localhost:{}/", address.port()),
    ] {
        let fault = body(&fetch, &url, Reach::Anywhere).await.unwrap_err();
        assert!(!fault.contains("secret"), "{fault}");
        let fault = body(&fetch, &url, Reach::Outside).await.unwrap_err();
        assert!(fault.contains("inside address"), "{fault}");
    }
    assert!(heads.lock().unwrap().is_empty(), "{heads:?}");
}
