//! One host in several spellings, at every door: a route for a host covers them all, and the
//! upstream gets one.

use crate::client::{Client, statuses};
use crate::setup::TestSetup;
use http::Request;
use http_body_util::{BodyExt as _, Full};

const SETTINGS: &str = r#"
[forward_auth]
listen = "127.0.0.1:0"
proxy = "caddy"
trusted_peers = ["127.0.0.1"]
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
[[route]]
path = "/**"
access = "public"
[[route]]
path = "/**"
hosts = ["Admin.example.", "*.Below.example", "[0:0::1]"]
require = { role = "Admin" }
"#;

/// Spellings of hosts that are for Admins only.
const PROTECTED: [&str; 12] = [
    "admin.example",
    "ADMIN.Example",
    "admin.example.",
    "admin.example.:443",
    "admin.example:0443",
    "Admin.Example.:65535",
    "a.below.example.",
    "A.b.BELOW.example",
    "a.below.example.:80",
    "[::1]",
    "[0:0:0:0:0:0:0:1]:80",
    "[::0001]",
];
/// Invalid hosts, and those that a server could confuse with these.
const REFUSED: [&str; 12] = [
    "admin.example..",
    ".admin.example",
    "admin..example",
    "admin.example:",
    "admin.example.:",
    "admin%2Eexample",
    "admin.example%2E",
    "admin.example:443:443",
    "x@admin.example",
    "[::1].",
    "127.1",
    "0x7f.0.0.1",
];
/// Other hosts.
const PUBLIC: [&str; 4] = [
    "other.example",
    "below.example.",
    "xadmin.example",
    "127.0.0.1",
];

fn all() -> impl Iterator<Item = (&'static str, u16)> {
    let protected = PROTECTED.into_iter().map(|host| (host, 401));
    protected
        .chain(REFUSED.map(|host| (host, 400)))
        .chain(PUBLIC.map(|host| (host, 200)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_for_a_host_covers_its_spellings_over_http1() {
    let setup = TestSetup::new(SETTINGS).await;
    let asked = async |target: &str, host: &str| {
        let raw = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        statuses(&setup.client().raw(raw.as_bytes()).await)[0]
    };
    for (host, status) in all() {
        assert_eq!(asked("/x", host).await, status, "{host}");
        assert_eq!(
            asked(&format!("http://{host}/x"), host).await,
            status,
            "{host} in absolute form"
        );
        for saw in setup.upstream.take_requests() {
            let plain = host.trim_end_matches('.').to_ascii_lowercase();
            for name in ["host", "x-forwarded-host"] {
                assert_eq!(saw.headers[name], *plain, "{name}");
            }
        }
    }
    // Two spellings of one host are one host.
    assert_eq!(asked("http://admin.example./x", "ADMIN.example").await, 401);
    assert_eq!(asked("http://other.example./x", "other.example").await, 200);
    assert_eq!(asked("http://other.example/x", "admin.example.").await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_for_a_host_covers_its_spellings_over_http2() {
    let setup = TestSetup::new(SETTINGS).await;
    for (host, status) in all() {
        // The client does not send a malformed authority.
        let Ok(request) =
            Request::get(format!("http://{host}/x")).body(Full::<bytes::Bytes>::default())
        else {
            continue;
        };
        let response = setup.client().open_http2(request).await;
        assert_eq!(response.status().as_u16(), status, "{host}");
        _ = response.into_body().collect().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_for_a_host_covers_its_spellings_where_others_ask() {
    let setup = TestSetup::new(SETTINGS).await;
    let front = Client::new(setup.forward_auth.unwrap());
    let envoy = Client::new(setup.ext_authz.unwrap());
    for (host, status) in all() {
        let question = Request::get("/")
            .header("host", "127.0.0.1")
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-uri", "/x")
            .header("x-forwarded-host", host)
            .header("x-forwarded-proto", "http");
        let answer = front
            .send(question.body(Full::default()).unwrap())
            .await;
        assert_eq!(answer.status, status, "{host}");
        let raw = format!("GET /check/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(
            statuses(&envoy.raw(raw.as_bytes()).await),
            [status],
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_served_host_is_served_in_every_spelling() {
    let setup = TestSetup::new(
        "hosts = [\"GW.example.\"]\n[[route]]\npath = \"/**\"\naccess = \"public\"\n",
    )
    .await;
    let asked = async |host: &str| {
        let raw = format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        statuses(&setup.client().raw(raw.as_bytes()).await)[0]
    };
    for host in ["gw.example", "gw.example.", "GW.Example.:80"] {
        assert_eq!(asked(host).await, 200, "{host}");
    }
    for host in ["other.example", "gw.example.other", "x.gw.example"] {
        assert_eq!(asked(host).await, 421, "{host}");
    }
}
