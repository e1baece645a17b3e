//! Upstreams below a path, and prefixes that are not forwarded: one reading, decided on as the
//! client wrote it.

use crate::client::{Client, get};
use crate::setup::TestSetup;

const ROUTES: &str = r#"upstream = "{upstream}/v1/"
[[route]]
path = "/**"
access = "public"
[[route]]
path = "/api/**"
access = "public"
strip_prefix = "/api"
[[route]]
path = "/api/admin/**"
strip_prefix = "/%61pi/"
require = { role = "Admin" }
[[route]]
path = "/{tenant}/files/**"
access = "public"
strip_prefix = "/{tenant}"
encoded_slashes = "keep"
[[route]]
path = "/root/**"
access = "public"
strip_prefix = "/root"
upstream = "{upstream}"
[[route]]
path = "/named/**"
access = "public"
strip_prefix = "/named"
upstream = "named"
[[upstream]]
name = "named"
servers = ["{upstream}/a%2fb/caf%C3%A9"]
protocol = "http2"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_sees_its_own_path() {
    let setup = TestSetup::new(ROUTES).await;
    for (asked, forwarded, prefix) in [
        ("/", "/v1/", None),
        ("/x?y=/api", "/v1/x?y=/api", None),
        ("/apix/y", "/v1/apix/y", None),
        ("/api/x", "/v1/x", Some("/api")),
        ("/%61pi/x%2Cy?z", "/v1/x,y?z", Some("/api")),
        ("/api/api/x/", "/v1/api/x/", Some("/api")),
        ("/api/", "/v1/", Some("/api")),
        ("/api", "/v1", Some("/api")),
        ("/api?x", "/v1?x", Some("/api")),
        ("/acme/files/a%2fb", "/v1/files/a%2Fb", Some("/acme")),
        ("/root", "/", Some("/root")),
        ("/root/", "/", Some("/root")),
        ("/root?x", "/?x", Some("/root")),
        ("/root/x|y", "/x%7Cy", Some("/root")),
        ("/named/x", "/a%2Fb/caf%C3%A9/x", Some("/named")),
        ("/named", "/a%2Fb/caf%C3%A9", Some("/named")),
    ] {
        let mut request = get(asked, None);
        request
            .headers_mut()
            .insert("x-forwarded-prefix", "/forged".parse().unwrap());
        assert_eq!(setup.client().send(request).await.status, 200, "{asked}");
        let saw = setup.upstream.take_requests();
        assert_eq!(saw[0].target, forwarded, "{asked}");
        let told = saw[0]
            .headers
            .get("x-forwarded-prefix")
            .map(|value| value.to_str().unwrap());
        assert_eq!(told, prefix, "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_on_is_the_path_before_the_prefix_goes() {
    let setup = TestSetup::new(ROUTES).await;
    for (asked, status) in [
        ("/api/admin/x", 401),
        ("/api/%61dmin", 401),
        ("/api/../admin", 400),
        ("/api//admin", 400),
        ("/api%2Fadmin", 400),
        ("/api/x%2F..%2Fadmin", 400),
        ("/acme/files/..%2Fadmin", 400),
        ("/api/x%2Fy", 400),
        // The upstream's base path is not part of the client's path.
        ("/admin/x", 200),
    ] {
        assert_eq!(
            setup.client().get(asked, None).await.status,
            status,
            "{asked}"
        );
        for saw in setup.upstream.take_requests() {
            assert_eq!(saw.target, "/v1/admin/x");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_goes_below_the_path_too() {
    let setup = TestSetup::new(ROUTES).await;
    let raw = "GET /api/chat HTTP/1.1\r\nHost: gw.example\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\
               Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    // This upstream does not speak WebSocket, and answers 200.
    _ = Client::new(setup.gateway).raw(raw.as_bytes()).await;
    let saw = setup.upstream.take_requests();
    assert_eq!(
        (&*saw[0].target, &saw[0].headers["upgrade"]),
        ("/v1/chat", &"websocket".parse().unwrap())
    );
}
