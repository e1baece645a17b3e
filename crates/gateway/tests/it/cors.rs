//! `[gateway.cors]`: pages of other origins can read every answer, refusals too, and the gateway is
//! the one that speaks.

use crate::client::{Client, ClientResponse, get, statuses};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{Full, combinators::BoxBody};
use portcullis_idp::{Endpoint, Fault};
use portcullis_testkit::{Answer, AnsweringServer};
use std::time::Duration;
use tokio::net::TcpListener;

const APP: &str = "https://app.example";
const CORS: &str = r#"
[gateway.cors]
origins = ["https://app.example", "https://*.preview.example"]
headers = ["X-Tenant"]
expose_headers = ["X-Total-Count"]
"#;
const ROUTES: &str = r#"
[[route]]
path = "/admin"
require = { role = "Admin" }
[[route]]
path = "/public/**"
access = "public"
"#;
const DOORS: &str = r#"
[forward_auth]
listen = "127.0.0.1:0"
proxy = "caddy"
trusted_peers = ["127.0.0.1"]
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
"#;

fn settings() -> String {
    format!("hosts = [\"gw.example\"]\n{CORS}{ROUTES}{DOORS}")
}

fn preflight(path: &str, origin: &str) -> Request<Full<Bytes>> {
    Request::options(path)
        .header("host", "gw.example")
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization,x-tenant")
        .body(Full::default())
        .unwrap()
}

fn from_page(mut request: Request<Full<Bytes>>, origin: &str) -> Request<Full<Bytes>> {
    let headers = request.headers_mut();
    headers.insert("origin", origin.parse().unwrap());
    request
}

/// What the headers say of CORS.
fn mark(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<String> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-"))
        .map(|(name, value)| {
            let name = name.as_str().trim_start_matches("access-control-");
            format!("{name}: {}", value.to_str().unwrap())
        })
        .collect();
    lines.sort();
    lines
}

fn readable() -> [String; 2] {
    let exposed = "www-authenticate, dpop-nonce, retry-after, x-request-id, x-total-count";
    [
        format!("allow-origin: {APP}"),
        format!("expose-headers: {exposed}"),
    ]
}

fn varies(headers: &HeaderMap) -> bool {
    let values = headers.get_all("vary").iter();
    values
        .flat_map(|value| value.to_str().unwrap().split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("origin"))
}

#[track_caller]
fn assert_readable(answer: &ClientResponse, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code));
    assert_eq!(mark(&answer.headers), readable(), "{code}");
    assert!(varies(&answer.headers), "{code}");
}

#[tokio::test]
async fn the_gateway_answers_preflights_itself() {
    let setup = TestSetup::new(&settings()).await;
    let allowed = |origin: &str| {
        let mut lines = readable().to_vec();
        lines[0] = format!("allow-origin: {origin}");
        lines.extend([
            "allow-headers: authorization, dpop, content-type, x-tenant".to_owned(),
            "allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE".to_owned(),
            "max-age: 600".to_owned(),
        ]);
        lines.sort();
        lines
    };
    for origin in [APP, "https://pr-7.preview.example"] {
        let answer = setup.client().send(preflight("/admin", origin)).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        assert_eq!(mark(&answer.headers), allowed(origin));
        assert_eq!(
            answer.headers["vary"],
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        );
        let over_http2 = preflight("http://gw.example/admin", origin);
        let answer = setup.client().open_http2(over_http2).await;
        assert_eq!(answer.status(), 204);
        assert_eq!(mark(answer.headers()), allowed(origin));
    }
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://preview.example",
        "http://app.example",
        "null",
    ] {
        let answer = setup
            .client()
            .send(preflight("/public/x", origin))
            .await;
        assert_eq!(answer.status, 204, "{origin}");
        assert!(mark(&answer.headers).is_empty() && varies(&answer.headers));
    }
    assert!(setup.upstream.take_requests().is_empty(), "none passes on");
}

#[tokio::test]
async fn what_is_no_preflight_is_decided_about() {
    let setup = TestSetup::new(&settings()).await;
    let plain = format!("OPTIONS /x HTTP/1.1\r\nHost: gw.example\r\nOrigin: {APP}\r\n");
    for more in [
        "",
        "Access-Control-Request-Method: PUT\r\nContent-Length: 1\r\n",
        "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Method: GET\r\n",
        "Access-Control-Request-Method: PUT\r\nOrigin: https://evil.example\r\n",
    ] {
        let raw = format!("{plain}{more}Connection: close\r\n\r\n");
        let answer = setup.client().raw(raw.as_bytes()).await;
        assert_eq!(statuses(&answer), [401], "{more}");
        let named = answer.contains("access-control-allow-origin");
        assert_eq!(
            named,
            !more.contains("evil"),
            "two origins are none: {more}"
        );
    }
    assert!(setup.upstream.take_requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_can_read_every_refusal() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody_at = nobody.local_addr().unwrap();
    drop(nobody);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_at = silent.local_addr().unwrap();
    let setup = TestSetup::new(&format!(
        "hosts = [\"gw.example\"]\nlimits = {{ body_bytes = 10, headers = 20 }}\n{CORS}{ROUTES}\
         [[route]]\npath = \"/dead\"\naccess = \"public\"\nupstream = \"http://{nobody_at}\"\n\
         [[route]]\npath = \"/silent\"\naccess = \"public\"\nupstream = \"http://{silent_at}\"\n\
         timeout = 1\n"
    ))
    .await;
    let bob = setup.token();
    let other_host = |mut request: Request<Full<Bytes>>| {
        let headers = request.headers_mut();
        headers.insert("host", "other.example".parse().unwrap());
        request
    };
    let large = Request::post("/public/x").header("host", "gw.example");
    let large = large.body(Full::from("more than ten bytes")).unwrap();
    let propfind = Request::trace("/x").header("host", "gw.example");
    let propfind = propfind.body(Full::default()).unwrap();
    for (request, status, code) in [
        (get("/x", None), 401, "credential.missing"),
        (get("/x", Some("rubbish")), 401, "token.malformed"),
        (get("/admin", Some(&bob)), 403, "policy.role"),
        (
            get("/x?access_token=y", Some(&bob)),
            400,
            "credential.repeated",
        ),
        (get("/a/../b", None), 400, "request.path"),
        (other_host(get("/x", None)), 421, "request.misdirected"),
        (propfind, 501, "request.method"),
        (large, 413, "request.body"),
        (get("/dead", None), 502, "upstream.unreachable"),
        (get("/silent", None), 504, "upstream.timeout"),
    ] {
        let answer = setup.client().send(from_page(request, APP)).await;
        assert_readable(&answer, status, code);
    }
    // Over HTTP/1.1, this one is the HTTP library's, before there is a request.
    let mut crowded = Request::get("http://gw.example/x").header("origin", APP);
    for _ in 0..30 {
        crowded = crowded.header("x-a", "1");
    }
    let crowded = crowded.body(Full::<Bytes>::default()).unwrap();
    let answer = ClientResponse::of(setup.client().open_http2(crowded).await).await;
    assert_readable(&answer, 431, "request.fields");

    let answer = setup.client().get("/x", None).await;
    assert!(mark(&answer.headers).is_empty() && varies(&answer.headers));
    let foreign = from_page(get("/x", None), "https://evil.example");
    let answer = setup.client().send(foreign).await;
    assert!(answer.status == 401 && mark(&answer.headers).is_empty());

    setup.idp.fail(Endpoint::Jwks, Fault::InternalError);
    setup.clock.advance(Duration::from_secs(90_000));
    let request = from_page(get("/x", Some(&setup.token())), APP);
    let answer = setup.client().send(request).await;
    assert_readable(&answer, 503, "outage.keys");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn callers_out_of_bounds_can_read_that_too() {
    let setup = TestSetup::new(&format!(
        "trusted_proxies = [\"127.0.0.1\"]\n\
         limits = {{ failing_callers = 1, requests_per_caller = 1 }}\n{CORS}"
    ))
    .await;
    let call = || {
        let mut request = from_page(get("/x", Some("rubbish")), APP);
        let headers = request.headers_mut();
        headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        request
    };
    for _ in 0..2 {
        let refused = setup.client().send(call()).await;
        assert_readable(&refused, 401, "token.malformed");
    }
    let limited = setup.client().send(call()).await;
    assert_readable(&limited, 429, "request.refused_too_often");
    assert!(limited.headers.contains_key("retry-after"));
    // Refused by the listener, before any door has read it.
    let (_kept, body) = pending_body();
    let mut slow = Request::post("/x").header("host", "gw.example");
    slow = slow.header("x-forwarded-for", "192.0.2.2");
    slow = slow.header("authorization", format!("Bearer {}", setup.token()));
    let client = setup.client();
    let under_way = tokio::spawn(async move { client.open(slow.body(body).unwrap()).await });
    let busy = || {
        let mut request = from_page(get("/x", None), APP);
        let headers = request.headers_mut();
        headers.insert("x-forwarded-for", "192.0.2.2".parse().unwrap());
        request
    };
    let mut answer = setup.client().send(busy()).await;
    for _ in 0..200 {
        if answer.status == 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        answer = setup.client().send(busy()).await;
    }
    assert_readable(&answer, 503, "gateway.caller_busy");
    under_way.abort();
}

/// A body that does not end while its sender is kept.
fn pending_body() -> (
    tokio::sync::oneshot::Sender<()>,
    BoxBody<Bytes, std::convert::Infallible>,
) {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let stream = futures_util::stream::once(async move {
        _ = receiver.await;
        Ok(http_body::Frame::data(Bytes::from("x")))
    });
    let stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = _> + Send + Sync>> =
        Box::pin(stream);
    (
        sender,
        BoxBody::new(http_body_util::StreamBody::new(stream)),
    )
}

/// An upstream that says of CORS whatever it likes.
async fn talkative() -> AnsweringServer {
    let server = AnsweringServer::start("{}").await;
    let mut answer = Answer::json("{}");
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "x-secret"),
        ("access-control-allow-private-network", "true"),
        ("vary", "Accept-Encoding"),
    ] {
        answer.headers.push((name, value.to_owned()));
    }
    server.answer(answer);
    server
}

#[tokio::test]
async fn the_gateway_replaces_the_voice_of_an_upstream() {
    let upstream = talkative().await;
    let with = |cors: &str| format!("upstream = \"{}\"\n{cors}{ROUTES}", upstream.url);
    let setup = TestSetup::new(&with(CORS)).await;
    let call = |origin: &str| from_page(get("/public/x", None), origin);
    let answer = setup.client().send(call(APP)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(mark(&answer.headers), readable());
    let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["Accept-Encoding, Origin"]);
    let answer = setup.client().send(call("https://evil.example")).await;
    assert!(answer.status == 200 && mark(&answer.headers).is_empty());
    assert!(varies(&answer.headers));

    // Without the table, CORS is the upstream's matter.
    let setup = TestSetup::new(&with("")).await;
    let answer = setup.client().send(call(APP)).await;
    assert_eq!(mark(&answer.headers).len(), 4);
    let answer = setup.client().send(preflight("/x", APP)).await;
    assert!(answer.status == 401 && mark(&answer.headers).is_empty());
}

#[tokio::test]
async fn a_route_can_have_pages_of_its_own() {
    let setup = TestSetup::new(&format!(
        "[gateway.cors]\norigins = [\"{APP}\"]\ncredentials = true\n\
         [[route]]\npath = \"/open\"\nmethods = [\"PUT\"]\naccess = \"public\"\n\
         cors = {{ origins = [\"*\"] }}\n"
    ))
    .await;
    let mut put = from_page(get("/open", None), "https://any.example");
    *put.method_mut() = http::Method::PUT;
    for request in [put, preflight("/open", "https://any.example")] {
        let answer = setup.client().send(request).await;
        assert!(answer.status < 300);
        let told = mark(&answer.headers);
        assert!(told.contains(&"allow-origin: *".to_owned()), "{told:?}");
        assert!(!told.contains(&"allow-credentials: true".to_owned()));
        assert!(!varies(&answer.headers) || answer.status == 204);
    }
    // Another method is another route, with the rules of the gateway.
    let other = from_page(get("/open", None), "https://any.example");
    let answer = setup.client().send(other).await;
    assert!(answer.status == 401 && mark(&answer.headers).is_empty());
    let answer = setup
        .client()
        .send(from_page(get("/open", None), APP))
        .await;
    assert!(mark(&answer.headers).contains(&"allow-credentials: true".to_owned()));
}

#[tokio::test]
async fn proxies_that_ask_get_the_mark_and_never_leave_for_a_preflight() {
    let setup = TestSetup::new(&settings()).await;
    let (caddy, envoy) = (
        Client::new(setup.forward_auth.unwrap()),
        Client::new(setup.ext_authz.unwrap()),
    );
    let as_caddy = |mut request: Request<Full<Bytes>>| {
        let path = request.uri().to_string();
        let method = request.method().to_string();
        let headers = request.headers_mut();
        for (name, value) in [
            ("x-forwarded-method", method.as_str()),
            ("x-forwarded-uri", &path),
            ("x-forwarded-host", "gw.example"),
            ("x-forwarded-proto", "https"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        *request.method_mut() = http::Method::GET;
        request
    };
    let as_envoy = |mut request: Request<Full<Bytes>>| {
        let target = format!("/check{}", request.uri());
        *request.uri_mut() = target.parse().unwrap();
        request
    };
    let bob = setup.token();
    for (request, status) in [
        (get("/public/x", None), 200),
        (get("/x", None), 401),
        (get("/admin", Some(&bob)), 403),
        (get("/a/../b", None), 400),
    ] {
        let request = from_page(request, APP);
        for answer in [
            caddy.send(as_caddy(request.clone())).await,
            envoy.send(as_envoy(request.clone())).await,
        ] {
            assert_eq!(answer.status, status);
            assert_eq!(mark(&answer.headers), readable(), "{status}");
            assert!(varies(&answer.headers));
        }
    }
    for origin in [APP, "https://evil.example"] {
        let request = preflight("/public/x", origin);
        for answer in [
            caddy.send(as_caddy(request.clone())).await,
            envoy.send(as_envoy(request.clone())).await,
        ] {
            assert_eq!(answer.status, 403);
            assert_eq!(answer.headers["x-portcullis-status"], "204");
            assert_eq!(answer.headers["x-portcullis-code"], "cors.preflight");
            let allowed = mark(&answer.headers).len();
            assert_eq!(allowed, if origin == APP { 5 } else { 0 });
        }
    }
}
