//! Forward-auth: the questions of a proxy in front, and the responses.

use crate::client::{Client, ClientResponse};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_idp::{Endpoint, Fault};
use std::time::Duration;

const ROUTES: &str = r#"
[[route]]
path = "/public/**"
access = "public"
[[route]]
path = "/admin"
require = { role = "Admin" }
[[route]]
path = "/orders"
methods = ["POST"]
require = { scope = "orders:write" }
"#;

fn settings(members: &str) -> String {
    format!("[forward_auth]\nlisten = \"127.0.0.1:0\"\n{members}{ROUTES}")
}

/// A question in nginx's form, about this method and target.
fn nginx(method: &str, uri: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let request = Request::get("/_auth")
        .header("host", "127.0.0.1")
        .header("x-original-method", method)
        .header("x-original-uri", uri)
        .header("x-forwarded-host", "gw.example")
        .header("x-forwarded-proto", "https");
    with(request, token)
}

/// The same in the form of Traefik and Caddy.
fn caddy(method: &str, uri: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let request = Request::get("/")
        .header("host", "gw.example")
        .header("x-forwarded-method", method)
        .header("x-forwarded-uri", uri)
        .header("x-forwarded-host", "gw.example")
        .header("x-forwarded-proto", "http");
    with(request, token)
}

fn with(request: http::request::Builder, token: Option<&str>) -> Request<Full<Bytes>> {
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Full::default()).unwrap()
}

fn header<'a>(answer: &'a ClientResponse, name: &str) -> Option<&'a str> {
    answer
        .headers
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_original_request_is_decided_about_and_not_the_question() {
    let setup = TestSetup::new(&settings(
        "proxy = \"caddy\"\ntrusted_peers = [\"127.0.0.1\"]\n",
    ))
    .await;
    let door = Client::new(setup.forward_auth.unwrap());
    let (bob, alice) = (setup.token(), setup.idp.token("alice").sign());
    for (method, uri, token, status, code) in [
        ("GET", "/public/x", None, 200, ""),
        ("GET", "/x", None, 401, "credential.missing"),
        ("GET", "/x", Some("rubbish"), 401, "token.malformed"),
        ("GET", "/x", Some(bob.as_str()), 200, ""),
        (
            "GET",
            "/x?access_token=y",
            Some(&bob),
            400,
            "credential.repeated",
        ),
        ("GET", "/admin", Some(&bob), 403, "policy.role"),
        ("GET", "/%61dmin/", Some(&bob), 403, "policy.role"),
        ("GET", "/admin", Some(&alice), 200, ""),
        ("GET", "/public/../admin", Some(&alice), 400, "request.path"),
        (
            "GET",
            "/public/#/../admin",
            Some(&alice),
            400,
            "request.target",
        ),
        ("GET", "/orders", Some(&bob), 200, ""),
        ("POST", "/orders", Some(&bob), 403, "policy.scope"),
        ("TRACE", "/public/x", None, 501, "request.method"),
    ] {
        let answer = door.send(caddy(method, uri, token)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{method} {uri} {token:?}"
        );
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert!(header(&answer, "x-request-id").is_some());
        assert_eq!(header(&answer, "connection"), None);
    }
    assert!(
        setup.upstream.take_requests().is_empty(),
        "nothing is forwarded from here"
    );
}

#[tokio::test]
async fn the_answer_holds_every_identity_header() {
    let setup = TestSetup::new(&settings(
        "proxy = \"caddy\"\ntrusted_peers = [\"127.0.0.1\"]\n",
    ))
    .await;
    let door = Client::new(setup.forward_auth.unwrap());
    let mut forged = caddy("GET", "/x", Some(&setup.token()));
    forged
        .headers_mut()
        .insert("x-auth-roles", "Admin".parse().unwrap());
    let answer = door.send(forged).await;
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "x-auth-subject"), Some("user-1"));
    assert_eq!(
        header(&answer, "x-auth-roles"),
        Some(""),
        "bob has none, so nobody else says what"
    );
    assert!(answer.headers.get("authorization").is_none() && answer.body.is_empty());
    let answer = door.send(caddy("GET", "/public/x", None)).await;
    for name in [
        "x-auth-subject",
        "x-auth-client",
        "x-auth-scopes",
        "x-auth-roles",
        "x-auth-issuer",
    ] {
        assert_eq!(header(&answer, name), Some(""), "{name}");
    }
}

#[tokio::test]
async fn nobody_is_trusted_unless_named() {
    for members in [
        "proxy = \"caddy\"\n",
        "proxy = \"caddy\"\ntrusted_peers = [\"10.0.0.0/8\", \"unix\"]\n",
    ] {
        let setup = TestSetup::new(&settings(members)).await;
        let door = Client::new(setup.forward_auth.unwrap());
        for request in [
            caddy("GET", "/public/x", None),
            caddy("GET", "/x", Some(&setup.token())),
        ] {
            let answer = door.send(request).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (403, "door.untrusted")
            );
        }
    }
}

#[tokio::test]
async fn what_is_missing_doubled_or_told_in_another_way_is_refused() {
    let setup = TestSetup::new(&settings(
        "proxy = \"caddy\"\ntrusted_peers = [\"127.0.0.1\"]\n",
    ))
    .await;
    let door = Client::new(setup.forward_auth.unwrap());
    for name in [
        "x-forwarded-method",
        "x-forwarded-uri",
        "x-forwarded-host",
        "x-forwarded-proto",
    ] {
        let mut missing = caddy("GET", "/public/x", None);
        missing.headers_mut().remove(name);
        let answer = door.send(missing).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "door.original"),
            "{name}"
        );
        let mut doubled = caddy("GET", "/public/x", None);
        let value = doubled.headers()[name].clone();
        doubled
            .headers_mut()
            .append(http::HeaderName::from_static(name), value);
        assert_eq!(door.send(doubled).await.code(), "door.original", "{name}");
    }
    assert_eq!(
        door.send(nginx("GET", "/public/x", None)).await.code(),
        "door.original"
    );
    // Headers in the form of another program change nothing.
    let mut both = caddy("GET", "/x", None);
    both.headers_mut()
        .insert("x-original-uri", "/public/x".parse().unwrap());
    assert_eq!(door.send(both).await.code(), "credential.missing");
}

#[tokio::test]
async fn nginx_is_told_every_refusal_as_one_that_it_knows() {
    let setup = TestSetup::new(&settings(
        "proxy = \"nginx\"\ntrusted_peers = [\"127.0.0.1\"]\n",
    ))
    .await;
    let door = Client::new(setup.forward_auth.unwrap());
    let token = setup.token();
    for (uri, token, status, meant, code) in [
        ("/x", None, 401, "401", "credential.missing"),
        ("/admin", Some(token.as_str()), 403, "403", "policy.role"),
        ("/a/../b", Some(&token), 403, "400", "request.path"),
        (
            "/x?access_token=y",
            Some(&token),
            403,
            "400",
            "credential.repeated",
        ),
    ] {
        let answer = door.send(nginx("GET", uri, token)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{uri}"
        );
        assert_eq!(header(&answer, "x-portcullis-status"), Some(meant));
        assert_eq!(header(&answer, "x-portcullis-code"), Some(code));
    }
    assert_eq!(
        door.send(nginx("GET", "/x", Some(&token)))
            .await
            .status,
        200
    );
    setup.idp.fail(Endpoint::Jwks, Fault::InternalError);
    setup.clock.advance(Duration::from_secs(90_000));
    let answer = door
        .send(nginx("GET", "/x", Some(&setup.token())))
        .await;
    assert_eq!(
        (answer.status, header(&answer, "x-portcullis-status")),
        (403, Some("503"))
    );
    assert!(header(&answer, "retry-after").is_some());
}

#[tokio::test]
async fn a_unix_socket_is_opened_trusted_and_cleared_away() {
    let path = std::env::temp_dir().join(format!("portcullis-door-{}.sock", std::process::id()));
    // The socket file of a dead process.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listen = format!("listen = \"unix:{}\"\n", path.display());
    let text = format!(
        "[forward_auth]\n{listen}proxy = \"traefik\"\ntrusted_peers = [\"unix\"]\n{ROUTES}"
    );
    let setup = TestSetup::new(&text).await;
    let stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let answer = sender
        .send_request(caddy("GET", "/public/x", None))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    drop(sender);
    connection.await.unwrap().unwrap();
    setup.stop().await;
    assert!(!path.exists());
}
