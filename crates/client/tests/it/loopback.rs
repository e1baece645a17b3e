//! The loopback redirect, under each name of this machine.

use crate::scripted::Scripted;
use portcullis_client::{CodeFlow, LoopbackRedirect, TokenRequest};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use url::Url;

async fn flow(idp: &Scripted, redirect_uri: &str) -> CodeFlow {
    idp.client()
        .authorization_code(&TokenRequest::new())
        .start(redirect_uri)
        .await
        .unwrap()
}

/// The request of a browser that resolves the name in the address to this address.
async fn visit(flow: &CodeFlow, address: SocketAddr) -> u16 {
    let state = flow
        .url()
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let redirect_uri = Url::parse(flow.redirect_uri()).unwrap();
    let host = redirect_uri[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
    let request = format!(
        "GET {}?code=c&state={state} HTTP/1.1\r\nhost: {host}\r\n\r\n",
        redirect_uri.path()
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut browser = TcpStream::connect(address).unwrap();
        browser.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        browser.read_to_string(&mut answer).unwrap();
        answer
    });
    // `HTTP/1.1 200 OK`
    answer
        .await
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// A port that was free on both addresses a moment ago.
fn free_port() -> u16 {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    first.local_addr().unwrap().port()
}

fn has_both() -> bool {
    let both = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !both {
        // Written directly, because the test runner hides the output of passing tests.
        _ = std::io::Write::write_all(
            &mut std::io::stdout(),
            b"excused: this machine has no [::1]\n",
        );
    }
    both
}

#[tokio::test]
async fn localhost_is_either_address() {
    if !has_both() {
        return;
    }
    let idp = Scripted::start().await;
    for with_port in [true, false] {
        for address in [
            Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::from(Ipv6Addr::LOCALHOST),
        ] {
            let named = if with_port {
                format!("http://localhost:{}/callback", free_port())
            } else {
                "http://localhost/callback".to_owned()
            };
            let place = LoopbackRedirect::bind_for(&named).await.unwrap();
            let redirect_uri = place.redirect_uri();
            let port = Url::parse(&redirect_uri).unwrap().port().unwrap();
            assert!(
                redirect_uri == format!("http://localhost:{port}/callback"),
                "{redirect_uri}"
            );
            let flow = flow(&idp, &redirect_uri).await;
            let (query, status) = tokio::join!(
                place.receive(&flow, Duration::from_secs(60)),
                visit(&flow, SocketAddr::new(address, port))
            );
            assert_eq!(status, 200, "{named} at {address}");
            assert!(flow.expects(&query.unwrap()));
        }
    }
}

#[tokio::test]
async fn an_address_is_itself_only() {
    if !has_both() {
        return;
    }
    let idp = Scripted::start().await;
    let port = free_port();
    for (host, other) in [
        ("[::1]", Ipv4Addr::LOCALHOST.into()),
        ("127.0.0.1", std::net::IpAddr::from(Ipv6Addr::LOCALHOST)),
    ] {
        let named = format!("http://{host}:{port}/back");
        let place = LoopbackRedirect::bind_for(&named).await.unwrap();
        assert_eq!(place.redirect_uri(), named, "to the letter");
        assert!(
            TcpStream::connect(SocketAddr::new(other, port)).is_err(),
            "{host} is not {other}"
        );
        let flow = flow(&idp, &named).await;
        let address = Url::parse(&named)
            .unwrap()
            .socket_addrs(|| None)
            .unwrap()[0];
        let (query, status) = tokio::join!(
            place.receive(&flow, Duration::from_secs(60)),
            visit(&flow, address)
        );
        assert_eq!((status, query.is_ok()), (200, true), "{named}");
    }
}

#[tokio::test]
async fn a_redirect_uri_elsewhere_is_refused() {
    for named in [
        "http://app.example:8080/",
        "https://localhost:8080/",
        "http://192.0.2.1:8080/",
        "myapp:/callback",
    ] {
        let fault = LoopbackRedirect::bind_for(named)
            .await
            .unwrap_err()
            .to_string();
        assert!(fault.contains("[::1]"), "{fault}");
    }
}
