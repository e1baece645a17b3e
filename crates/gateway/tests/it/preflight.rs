//! `public_preflight`: a request that passes without a token is a preflight for the upstream too.

use crate::client::{Client, statuses};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};

const SETTINGS: &str = r#"public_preflight = true
[forward_auth]
listen = "127.0.0.1:0"
proxy = "caddy"
trusted_peers = ["127.0.0.1"]
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
"#;

const PLAIN: &str = "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n";

/// More fields of a head, and the body.
const NONE: [(&str, &str); 10] = [
    ("Connection: origin, access-control-request-method\r\n", ""),
    ("Connection: Origin\r\n", ""),
    ("Connection: x, ACCESS-CONTROL-REQUEST-METHOD\r\n", ""),
    (
        "Connection: access-control-request-headers\r\nAccess-Control-Request-Headers: x\r\n",
        "",
    ),
    ("Origin: https://other.example\r\n", ""),
    ("Access-Control-Request-Method: DELETE\r\n", ""),
    (
        "Access-Control-Request-Headers: a\r\nAccess-Control-Request-Headers: b\r\n",
        "",
    ),
    ("Content-Length: 4\r\n", "a=b\n"),
    ("Transfer-Encoding: chunked\r\n", "4\r\na=b\n\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
];

async fn send_preflight(client: Client, target: &str, head: &str, body: &str) -> u16 {
    let raw = format!(
        "OPTIONS {target} HTTP/1.1\r\nHost: gw.example\r\n{PLAIN}{head}Connection: close\r\n\r\n{body}"
    );
    statuses(&client.raw(raw.as_bytes()).await)[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_sees_a_preflight_or_nothing() {
    let setup = TestSetup::new(SETTINGS).await;
    for head in [
        "",
        "Content-Length: 0\r\n",
        "Access-Control-Request-Headers: authorization, x\r\n",
    ] {
        assert_eq!(
            send_preflight(setup.client(), "/x", head, "").await,
            200,
            "{head}"
        );
        let saw = setup.upstream.take_requests();
        assert_eq!((saw.len(), saw[0].body.len()), (1, 0));
        assert_eq!(saw[0].headers["origin"], "https://app.example");
        assert_eq!(saw[0].headers["access-control-request-method"], "PUT");
    }
    for (head, body) in NONE {
        assert_eq!(
            send_preflight(setup.client(), "/x", head, body).await,
            401,
            "{head}"
        );
        assert!(setup.upstream.take_requests().is_empty(), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_of_http2_has_no_body_either() {
    let setup = TestSetup::new(SETTINGS).await;
    for (body, status) in [("", 200), ("a=b", 401)] {
        let request = Request::options("http://gw.example/x")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "PUT")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let response = setup.client().open_http2(request).await;
        assert_eq!(response.status().as_u16(), status, "{body}");
        _ = response.into_body().collect().await;
    }
    // A body that no header announces.
    let body = http_body_util::StreamBody::new(futures_util::stream::iter([Ok::<
        _,
        std::convert::Infallible,
    >(
        http_body::Frame::data(Bytes::from("a=b")),
    )]));
    let request = Request::options("http://gw.example/x")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PUT")
        .body(body)
        .unwrap();
    assert_eq!(
        setup
            .client()
            .open_http2(request)
            .await
            .status()
            .as_u16(),
        401
    );
    assert_eq!(
        setup.upstream.take_requests().len(),
        1,
        "the one without a body"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_about_a_preflight_reads_it_as_strictly() {
    let setup = TestSetup::new(SETTINGS).await;
    let told = "X-Forwarded-Method: OPTIONS\r\nX-Forwarded-Uri: /x\r\nX-Forwarded-Host: gw.example\r\nX-Forwarded-Proto: https\r\n";
    let (front, envoy) = (
        Client::new(setup.forward_auth.unwrap()),
        Client::new(setup.ext_authz.unwrap()),
    );
    assert_eq!(send_preflight(front, "/", told, "").await, 200);
    assert_eq!(send_preflight(envoy, "/check/x", "", "").await, 200);
    for (head, body) in NONE {
        assert_eq!(
            send_preflight(front, "/", &format!("{told}{head}"), body).await,
            401,
            "{head}"
        );
        assert_eq!(
            send_preflight(envoy, "/check/x", head, body).await,
            401,
            "{head}"
        );
    }
}

#[tokio::test]
async fn a_preflight_without_the_setting_needs_a_token() {
    let setup = TestSetup::new("").await;
    assert_eq!(send_preflight(setup.client(), "/x", "", "").await, 401);
}
