//! What depends on the caller: how often unknown callers may fail, what policies do with them, which
//! headers clients may send about themselves, and that no caller gets the credentials or scopes of
//! another.

use crate::client::{ClientResponse, get};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, Version};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

async fn sends(
    setup: &TestSetup,
    token: Option<&str>,
    headers: &[(&str, &[u8])],
) -> ClientResponse {
    let mut request: Request<Full<Bytes>> = get("/x", token);
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).unwrap();
        request
            .headers_mut()
            .append(name, HeaderValue::from_bytes(value).unwrap());
    }
    setup.client().send(request).await
}

/// What the upstream learns of the scheme and the host from these headers, over both versions of
/// HTTP.
async fn told(setup: &TestSetup, headers: &[(&str, &str)]) -> (String, String) {
    let mut told = Vec::new();
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let mut request = get("/x", Some(&setup.token()));
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            request
                .headers_mut()
                .append(name, value.parse().unwrap());
        }
        let status = if version == Version::HTTP_2 {
            let uri = "http://gw.example/x".parse().unwrap();
            *request.uri_mut() = uri;
            request.headers_mut().remove("host");
            setup.client().open_http2(request).await.status()
        } else {
            setup.client().open(request).await.status()
        };
        assert_eq!(status, 200, "{version:?} {headers:?}");
        let saw = setup.upstream.take_requests();
        let [proto, host] = ["x-forwarded-proto", "x-forwarded-host"].map(|name| {
            let values = saw[0].values(name);
            assert_eq!(values.len(), 1, "{version:?} {values:?}");
            values[0].clone()
        });
        assert_eq!(saw[0].values("host"), ["gw.example"]);
        told.push((proto, host));
    }
    assert_eq!(told[0], told[1], "{headers:?}");
    told.remove(0)
}

const HOSTS: &str = "hosts = [\"gw.example\", \"*.shop.example\"]\n";
const TRUSTED: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";

#[tokio::test]
async fn a_trusted_proxy_is_believed_about_scheme_and_host() {
    let setup = TestSetup::new(&format!("{TRUSTED}{HOSTS}")).await;
    let own = ("http", "gw.example");
    for (headers, expected) in [
        (vec![], own),
        (vec![(PROTO, "https")], ("https", "gw.example")),
        (vec![(PROTO, "wss")], ("https", "gw.example")),
        (vec![(PROTO, "http")], own),
        (vec![(PROTO, "")], own),
        (vec![(PROTO, "ftp")], own),
        (vec![(PROTO, "https, http")], own),
        (vec![(PROTO, "https"), (PROTO, "https")], own),
        (
            vec![(HOST, "A.Shop.Example:8443")],
            ("http", "a.shop.example:8443"),
        ),
        (
            vec![(PROTO, "https"), (HOST, "a.shop.example")],
            ("https", "a.shop.example"),
        ),
        (vec![(HOST, "evil.example")], own),
        (vec![(HOST, "a.shop.example, evil.example")], own),
        (vec![(HOST, "a.shop.example/x")], own),
        (
            vec![(HOST, "a.shop.example"), (HOST, "b.shop.example")],
            own,
        ),
    ] {
        let (proto, host) = told(&setup, &headers).await;
        assert_eq!((&*proto, &*host), expected, "{headers:?}");
    }
}

/// Many proxies pass on what a client writes there.
#[tokio::test]
async fn a_host_is_believed_only_where_the_settings_list_hosts() {
    let setup = TestSetup::new(TRUSTED).await;
    let headers = [(PROTO, "https"), (HOST, "a.shop.example")];
    let (proto, host) = told(&setup, &headers).await;
    assert_eq!((&*proto, &*host), ("https", "gw.example"));
}

#[tokio::test]
async fn nobody_else_is_believed_about_scheme_and_host() {
    for trusted in ["", "trusted_proxies = [\"192.0.2.0/24\"]\n"] {
        let setup = TestSetup::new(&format!("{trusted}{HOSTS}")).await;
        let headers = [(PROTO, "https"), (HOST, "a.shop.example")];
        let (proto, host) = told(&setup, &headers).await;
        assert_eq!((&*proto, &*host), ("http", "gw.example"), "{trusted}");
    }
}

const LIMITED: &str = "trusted_proxies = [\"127.0.0.0/8\"]\nlimits = { failing_callers = 3 }\n";

#[tokio::test]
async fn unknown_callers_fail_together_and_are_no_neighbours() {
    let setup = TestSetup::new(LIMITED).await;
    let known = setup.token();
    assert_eq!(sends(&setup, Some(&known), &[]).await.status, 200);
    let unreadable: [&[u8]; 4] = [
        b"\xff",
        b"unknown",
        b"client.example",
        b"203.0.113.9, _hidden",
    ];
    for value in unreadable {
        assert_eq!(
            sends(&setup, Some("bad"), &[("x-forwarded-for", value)])
                .await
                .status,
            401
        );
    }
    for value in unreadable {
        let limited = sends(&setup, Some("bad"), &[("x-forwarded-for", value)]).await;
        assert_eq!(
            (limited.status, &*limited.code()),
            (429, "request.refused_too_often")
        );
    }
    let readable: (&str, &[u8]) = ("x-forwarded-for", b"\xff, 203.0.113.9");
    assert_eq!(
        sends(&setup, Some("bad"), &[readable]).await.status,
        401,
        "the proxy's own entry is readable"
    );
    assert_eq!(
        sends(&setup, Some(&known), &[("x-forwarded-for", b"\xff")])
            .await
            .status,
        200,
        "its token is known"
    );
}

#[tokio::test]
async fn loopback_named_by_a_proxy_is_no_neighbour() {
    let setup = TestSetup::new(LIMITED).await;
    for status in [401, 401, 401, 401, 429] {
        assert_eq!(
            sends(&setup, Some("bad"), &[("x-forwarded-for", b"127.0.0.1")])
                .await
                .status,
            status
        );
    }
}

#[cfg(feature = "cedar")]
#[tokio::test]
async fn policies_on_the_address_of_an_unknown_caller_cannot_be_met() {
    let file =
        std::env::temp_dir().join(format!("portcullis-address-{}.cedar", std::process::id()));
    let inside = "@id(\"inside\")\npermit(principal, action, resource) when { context.address.isInRange(ip(\"127.0.0.0/8\")) };\n";
    let all = "@id(\"all\")\npermit(principal, action, resource);\n";
    let banned = "@id(\"banned\")\nforbid(principal, action, resource) when { context.address.isInRange(ip(\"192.0.2.0/24\")) };\n";
    for (policies, known, unknown) in [
        (
            inside.to_owned(),
            (403, "policy.denied"),
            (503, "outage.policy"),
        ),
        (format!("{all}{banned}"), (200, ""), (503, "outage.policy")),
        (format!("{all}{inside}"), (200, ""), (200, "")),
        (
            banned.to_owned(),
            (403, "policy.denied"),
            (403, "policy.denied"),
        ),
    ] {
        std::fs::write(&file, &policies).unwrap();
        let settings = format!(
            "trusted_proxies = [\"127.0.0.1\"]\n[cedar]\npolicies = [\"{}\"]\n[[route]]\npath = \"/x\"\nrequire = {{ cedar = true }}\n",
            file.display()
        );
        let setup = TestSetup::new(&settings).await;
        let asks = async |value: &[u8]| {
            let answer = sends(&setup, Some(&setup.token()), &[("x-forwarded-for", value)]).await;
            (answer.status, answer.code())
        };
        for value in [
            &b"203.0.113.9"[..],
            b"\xff, 203.0.113.9:4711",
            b"::ffff:203.0.113.9",
        ] {
            assert_eq!(
                asks(value).await,
                (known.0, known.1.to_owned()),
                "{policies}"
            );
        }
        for value in [&b"\xff"[..], b"203.0.113.9, unknown"] {
            assert_eq!(
                asks(value).await,
                (unknown.0, unknown.1.to_owned()),
                "{policies}"
            );
        }
    }
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn a_setting_lets_single_headers_of_proxies_through() {
    let setup = TestSetup::new("identity = { danger_pass = [\"CF-IPCountry\"] }\n").await;
    let sent: [(&str, &[u8]); 3] = [
        ("cf-ipcountry", b"AQ"),
        ("cf_ipcountry", b"AQ"),
        ("cf-connecting-ip", b"192.0.2.66"),
    ];
    assert_eq!(sends(&setup, Some(&setup.token()), &sent).await.status, 200);
    let saw = setup.upstream.take_requests();
    let headers = &saw[0].headers;
    assert_eq!(headers["cf-ipcountry"], "AQ");
    assert!(
        !headers.contains_key("cf_ipcountry") && !headers.contains_key("cf-connecting-ip"),
        "{headers:?}"
    );
}

#[tokio::test]
async fn headers_of_applications_pass() {
    let setup = TestSetup::new("").await;
    let names = [
        "x-user-id",
        "x-client-id",
        "x-client-version",
        "x-request-start",
        "x-api-key",
        "via",
        "x-realtime",
    ];
    let sent = names.map(|name| (name, &b"1"[..]));
    assert_eq!(sends(&setup, Some(&setup.token()), &sent).await.status, 200);
    let saw = setup.upstream.take_requests();
    for name in names {
        assert!(saw[0].headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_scope_that_is_none_is_told_to_nobody() {
    let plain = TestSetup::new("[[route]]\npath = \"/x\"\nrequire = { scope = \"read\" }\n").await;
    for claim in ["scope", "scp"] {
        let token = |scopes: serde_json::Value| {
            plain
                .idp
                .token("bob")
                .without("scope")
                .claim(claim, scopes)
                .sign()
        };
        let good = token(serde_json::json!([
            "read admin",
            "read",
            "write\tadmin",
            "x\u{a0}admin",
            "y\nadmin"
        ]));
        assert_eq!(sends(&plain, Some(&good), &[]).await.status, 200);
        assert_eq!(
            plain.upstream.take_requests()[0].values("x-auth-scopes"),
            ["read"],
            "{claim}"
        );
        let bad = token(serde_json::json!(["read admin"]));
        assert_eq!(sends(&plain, Some(&bad), &[]).await.status, 403, "{claim}");
    }
    let signed = "[gateway.identity.assertion]\nissuer = \"https://gw.example\"\naudience = \"https://api.example\"\n";
    let signed = TestSetup::new(signed).await;
    let token = signed
        .idp
        .token("bob")
        .without("scope")
        .claim("scope", vec!["read admin", "read"])
        .sign();
    assert_eq!(sends(&signed, Some(&token), &[]).await.status, 200);
    let assertion = signed.upstream.take_requests()[0]
        .values("portcullis-assertion")
        .remove(0);
    let claims =
        portcullis_core::jose::base64url::decode(assertion.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["scope"], "read");
}

#[tokio::test]
async fn names_keep_their_commas_and_spaces_apart() {
    let setup = TestSetup::new("").await;
    let token = setup
        .idp
        .token("bob")
        .claim(
            "roles",
            vec!["Read Only", "a,Admin", " b", "c\r\nX-Evil: 1"],
        )
        .sign();
    assert_eq!(sends(&setup, Some(&token), &[]).await.status, 200);
    let told = setup.upstream.take_requests()[0].values("x-auth-roles");
    assert_eq!(told, ["Read Only,a%2CAdmin,%20b,c%0D%0AX-Evil: 1"]);
}

/// An upstream that asks for NTLM, and then lets in every request on an authenticated connection.
async fn windows() -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let let_in = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&let_in);
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let (count, known) = (Arc::clone(&count), Arc::new(AtomicUsize::new(0)));
            let service = service_fn(move |request: Request<_>| {
                let credentials = request
                    .headers()
                    .get("authorization")
                    .map(HeaderValue::as_bytes);
                if credentials.is_some_and(|it| it.to_ascii_lowercase().starts_with(b"n")) {
                    known.store(1, Ordering::SeqCst);
                }
                let mut response = Response::new(Full::<Bytes>::default());
                if known.load(Ordering::SeqCst) == 1 {
                    count.fetch_add(1, Ordering::SeqCst);
                } else {
                    *response.status_mut() = http::StatusCode::UNAUTHORIZED;
                    for value in ["Negotiate", "NTLM, Basic realm=\"x\""] {
                        response
                            .headers_mut()
                            .append("www-authenticate", HeaderValue::from_static(value));
                    }
                }
                async { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (address, let_in)
}

#[tokio::test]
async fn nobody_authenticates_a_connection_that_others_share() {
    let (upstream, let_in) = windows().await;
    let settings = format!(
        "upstream = \"http://{upstream}\"\n[[route]]\npath = \"/x\"\naccess = \"public\"\n"
    );
    let setup = TestSetup::new(&settings).await;
    for credentials in [
        &b"NTLM TlRMTVNTUAAD"[..],
        b"Negotiate YIIB",
        b"negotiate YIIB",
    ] {
        let answer = sends(&setup, None, &[("authorization", credentials)]).await;
        assert_eq!(answer.status, 401);
        let offered: Vec<_> = answer
            .headers
            .get_all("www-authenticate")
            .iter()
            .collect();
        assert_eq!(
            offered,
            ["Basic realm=\"x\""],
            "a challenge that can be answered"
        );
    }
    assert_eq!(sends(&setup, None, &[]).await.status, 401, "another caller");
    assert_eq!(let_in.load(Ordering::SeqCst), 0);
}
