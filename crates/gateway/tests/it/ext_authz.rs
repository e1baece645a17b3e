//! ext_authz over HTTP, and malformed gRPC calls. The conformance suites make valid calls with
//! Envoy's own messages.

use crate::client::Client;
use crate::setup::TestSetup;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use portcullis_idp::{Endpoint, Fault};
use std::time::Duration;

const SETTINGS: &str = r#"
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
[[route]]
path = "/public/**"
access = "public"
[[route]]
path = "/check/**"
access = "public"
"#;

fn question(target: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let request = Request::get(target).header("host", "gw.example");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn what_is_behind_the_prefix_is_decided_about() {
    let setup = TestSetup::new(SETTINGS).await;
    let door = Client::new(setup.ext_authz.unwrap());
    let token = setup.token();
    for (target, token, status, code) in [
        ("/check/public/x", None, 200, ""),
        ("/check/x", None, 401, "credential.missing"),
        ("/check/x?y", Some(token.as_str()), 200, ""),
        (
            "/check/x?access_token=y",
            Some(&token),
            400,
            "credential.repeated",
        ),
        ("/check/check/x", None, 200, ""),
        ("/check/public/../x", Some(&token), 400, "request.path"),
        // Outside the prefix.
        ("/public/x", None, 400, "door.original"),
        ("/check", None, 400, "door.original"),
        ("/checkpublic/x", None, 400, "door.original"),
        ("/che%63k/public/x", None, 400, "door.original"),
        ("/", Some(&token), 400, "door.original"),
    ] {
        let answer = door.send(question(target, token)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{target} {token:?}"
        );
    }
    assert!(
        setup.upstream.take_requests().is_empty(),
        "nothing is forwarded from here"
    );
}

#[tokio::test]
async fn envoy_is_told_what_to_set_and_what_to_remove() {
    let setup = TestSetup::new(SETTINGS).await;
    let door = Client::new(setup.ext_authz.unwrap());
    let mut forged = question("/check/x", Some(&setup.token()));
    for name in [
        "x-auth-roles",
        "x_auth_roles",
        "x-auth-else",
        "x-rewrite-url",
    ] {
        forged.headers_mut().insert(
            http::HeaderName::from_static(name),
            "forged".parse().unwrap(),
        );
    }
    let answer = door.send(forged).await;
    assert_eq!(answer.headers["x-auth-subject"], "user-1");
    assert_eq!(answer.headers["x-auth-roles"], "");
    let removed = answer.headers["x-envoy-auth-headers-to-remove"]
        .to_str()
        .unwrap();
    for name in [
        "x_auth_roles",
        "x-auth-else",
        "x-rewrite-url",
        "authorization",
    ] {
        assert!(
            removed.split(',').any(|held| held == name),
            "{name}: {removed}"
        );
    }
}

#[tokio::test]
async fn an_outage_is_no_status_that_envoy_might_let_pass() {
    let setup = TestSetup::new(SETTINGS).await;
    let door = Client::new(setup.ext_authz.unwrap());
    setup.idp.fail(Endpoint::Jwks, Fault::InternalError);
    setup.clock.advance(Duration::from_secs(90_000));
    let answer = door
        .send(question("/check/x", Some(&setup.token())))
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "outage.keys")
    );
    assert_eq!(answer.headers["x-portcullis-status"], "503");
    let answer = door
        .send(
            Request::trace("/check/x")
                .header("host", "a")
                .body(Full::default())
                .unwrap(),
        )
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "request.method")
    );
}

#[tokio::test]
async fn without_a_prefix_there_is_no_such_flavour() {
    let setup = TestSetup::new("[ext_authz]\nlisten = \"127.0.0.1:0\"\n").await;
    let answer = Client::new(setup.ext_authz.unwrap())
        .send(question("/x", Some(&setup.token())))
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "door.original")
    );
}

const CHECK: &str = "http://gw.example/envoy.service.auth.v3.Authorization/Check";

/// Calls with these bytes as the body; returns the message of the response, and `grpc-status`.
async fn call(setup: &TestSetup, method: &str, body: Vec<u8>) -> (Bytes, String) {
    let request = Request::post(method)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let response = Client::new(setup.ext_authz.unwrap())
        .open_http2(request)
        .await;
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["content-type"]
        ),
        (200, &"application/grpc".parse().unwrap())
    );
    let answer = response.into_body().collect().await.unwrap();
    let status = answer.trailers().unwrap()["grpc-status"]
        .to_str()
        .unwrap()
        .to_owned();
    (answer.to_bytes(), status)
}

fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat()
}

/// A field of protobuf that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [
        &[number << 3 | 2, u8::try_from(bytes.len()).unwrap()],
        bytes,
    ]
    .concat()
}

/// A `CheckRequest` for this method, path and host.
fn message(method: &[u8], path: &[u8], host: &[u8]) -> Vec<u8> {
    let http = [field(2, method), field(4, path), field(5, host)].concat();
    field(1, &field(4, &field(2, &http)))
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_refused_and_no_error() {
    let setup = TestSetup::new(SETTINGS).await;
    let good = message(b"GET", b"/public/x", b"gw.example");
    let mut cut_off = frame(0, &good);
    cut_off.pop();
    for (body, code) in [
        (Vec::new(), "door.original"),
        (vec![0, 0], "door.original"),
        (frame(0, b""), "door.original"),
        (frame(1, &good), "door.original"),
        (frame(0, b"\xff\xff\xff"), "door.original"),
        (cut_off, "door.original"),
        ([frame(0, &good), frame(0, &good)].concat(), "door.original"),
        (frame(0, &vec![0x7a; 2 << 20]), "door.original"),
        (
            frame(0, &message(b"G\xff", b"/public/x", b"gw.example")),
            "door.original",
        ),
        (
            frame(0, &message(b"GET", b"/public/\xff", b"gw.example")),
            "door.original",
        ),
        (
            frame(0, &message(b"GET", b"/public/x", b"")),
            "request.host",
        ),
        (
            frame(0, &message(b"GET", b"", b"gw.example")),
            "request.path",
        ),
        (
            frame(0, &message(b"", b"/public/x", b"gw.example")),
            "door.original",
        ),
    ] {
        let (answer, status) = call(&setup, CHECK, body.clone()).await;
        let told = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(status, "0", "an error might be let pass");
        // The status comes first in the message, and its code first in the status. It is not 0,
        // which protobuf would leave out.
        assert!(
            answer[5] == 0x0a && answer[7] == 0x08 && answer[8] != 0,
            "{answer:?}"
        );
        assert!(told.contains(&format!("\"code\":\"{code}\"")), "{told}");
    }
    let (answer, status) = call(&setup, CHECK, frame(0, &good)).await;
    assert_eq!(
        (status.as_str(), &answer[5..7]),
        ("0", &[0x0a, 0][..]),
        "this one passes"
    );
}

#[tokio::test]
async fn a_call_of_another_method_gets_no_status_that_means_leave() {
    let setup = TestSetup::new(SETTINGS).await;
    for path in [
        "envoy.service.auth.v2.Authorization/Check",
        "grpc.health.v1.Health/Check",
        "check/x",
    ] {
        let call = Request::post(format!("http://gw.example/{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from(frame(0, b""))))
            .unwrap();
        let answer = Client::new(setup.ext_authz.unwrap())
            .open_http2(call)
            .await;
        let expected = if path == "check/x" { 401 } else { 400 };
        assert_eq!(answer.status().as_u16(), expected, "{path}");
        assert_eq!(answer.headers().get("grpc-status"), None);
    }
}

#[tokio::test]
async fn a_path_is_forwarded_in_the_spelling_that_was_decided_on() {
    let setup = TestSetup::new(SETTINGS).await;
    let (answer, _) = call(
        &setup,
        CHECK,
        frame(0, &message(b"GET", b"/public/%61?b", b"gw.example")),
    )
    .await;
    let told = String::from_utf8_lossy(&answer).into_owned();
    assert!(
        told.contains(":path") && told.contains("/public/a?b"),
        "{told}"
    );
    let (answer, _) = call(
        &setup,
        CHECK,
        frame(0, &message(b"GET", b"/public/a?b", b"gw.example")),
    )
    .await;
    assert!(!String::from_utf8_lossy(&answer).contains(":path"));
}
