//! A token in a cookie: where it counts, where it does not, and that no upstream sees it.

use crate::client::{Client, ClientResponse, get};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{HeaderName, Method, Request};
use http_body_util::Full;

const SETTING: &str = "token_cookie = \"__Host-token\"\n";
const ROUTES: &str = r#"
[[route]]
path = "/public/**"
access = "public"
[[route]]
path = "/maybe"
access = "optional"
[forward_auth]
listen = "127.0.0.1:0"
proxy = "nginx"
trusted_peers = ["127.0.0.1"]
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
"#;

fn request(method: Method, path: &str, pairs: &[(&'static str, String)]) -> Request<Full<Bytes>> {
    let mut request = get(path, None);
    *request.method_mut() = method;
    for (name, value) in pairs {
        request
            .headers_mut()
            .append(HeaderName::from_static(name), value.parse().unwrap());
    }
    request
}

fn cookie(token: &str) -> (&'static str, String) {
    (
        "cookie",
        format!("theme=dark; __Host-token={token}; lang=en"),
    )
}

fn site(value: &str) -> (&'static str, String) {
    ("sec-fetch-site", value.to_owned())
}

async fn send(
    setup: &TestSetup,
    method: Method,
    path: &str,
    pairs: &[(&'static str, String)],
) -> ClientResponse {
    setup.client().send(request(method, path, pairs)).await
}

#[tokio::test]
async fn the_cookie_counts_for_reading_from_the_same_site() {
    let setup = TestSetup::with_token_settings(SETTING, ROUTES).await;
    let token = setup.token();
    for (method, more, status) in [
        (Method::GET, None, 200),
        (Method::HEAD, None, 200),
        (Method::GET, Some(site("same-origin")), 200),
        (Method::GET, Some(site("none")), 200),
        (Method::GET, Some(site("cross-site")), 401),
        (
            Method::GET,
            Some(("origin", "https://evil.example".to_owned())),
            401,
        ),
        (Method::POST, Some(site("same-origin")), 401),
        (Method::DELETE, None, 401),
    ] {
        let pairs: Vec<_> = [cookie(&token)].into_iter().chain(more).collect();
        let answer = send(&setup, method.clone(), "/x", &pairs).await;
        assert_eq!(answer.status, status, "{method} {:?}", pairs.get(1));
    }
    let both = [
        cookie("rubbish"),
        ("authorization", format!("Bearer {token}")),
    ];
    assert_eq!(
        send(&setup, Method::GET, "/x", &both).await.status,
        200,
        "a header comes first"
    );
    let rubbish = send(&setup, Method::GET, "/x", &[cookie("rubbish")]).await;
    assert_eq!(
        (rubbish.status, rubbish.code().as_str()),
        (401, "token.malformed")
    );
    let two = send(&setup, Method::GET, "/x", &[cookie(&token), cookie(&token)]).await;
    assert_eq!(
        (two.status, two.code().as_str()),
        (400, "credential.repeated")
    );
    let socket = [
        cookie(&token),
        ("upgrade", "websocket".to_owned()),
        ("connection", "upgrade".to_owned()),
    ];
    assert_eq!(
        send(&setup, Method::GET, "/x", &socket).await.status,
        401,
        "a WebSocket shows its origin"
    );
}

#[tokio::test]
async fn who_cannot_use_the_cookie_is_nobody_where_nobody_may_call() {
    let setup = TestSetup::with_token_settings(SETTING, ROUTES).await;
    let token = setup.token();
    assert_eq!(
        send(&setup, Method::GET, "/maybe", &[cookie(&token)])
            .await
            .status,
        200
    );
    assert_eq!(
        send(&setup, Method::POST, "/maybe", &[cookie(&token)])
            .await
            .status,
        200
    );
    let saw = setup.upstream.take_requests();
    assert_eq!(saw[0].values("x-auth-subject"), ["user-1"]);
    assert!(saw[1].values("x-auth-subject").is_empty());
    assert_eq!(
        send(&setup, Method::GET, "/maybe", &[cookie("rubbish")])
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn no_upstream_sees_the_token() {
    let setup = TestSetup::with_token_settings(SETTING, ROUTES).await;
    let token = setup.token();
    for (method, path) in [
        (Method::GET, "/x"),
        (Method::GET, "/public/x"),
        (Method::POST, "/public/x"),
    ] {
        assert_eq!(
            send(&setup, method, path, &[cookie(&token)])
                .await
                .status,
            200,
            "{path}"
        );
    }
    assert_eq!(
        send(
            &setup,
            Method::GET,
            "/public/x",
            &[("cookie", format!("__Host-token={token}"))]
        )
        .await
        .status,
        200
    );
    let saw = setup.upstream.take_requests();
    assert_eq!(saw.len(), 4);
    for saw in saw.iter().take(3) {
        assert_eq!(saw.values("cookie"), ["theme=dark; lang=en"]);
        assert!(saw.values("authorization").is_empty());
    }
    assert!(saw[3].values("cookie").is_empty());
}

#[tokio::test]
async fn without_the_setting_a_cookie_counts_for_nothing_and_stays() {
    let setup = TestSetup::new(ROUTES).await;
    let token = setup.token();
    assert_eq!(
        send(&setup, Method::GET, "/x", &[cookie(&token)])
            .await
            .status,
        401
    );
    assert_eq!(
        send(&setup, Method::GET, "/public/x", &[cookie(&token)])
            .await
            .status,
        200
    );
    assert!(setup.upstream.take_requests()[0].values("cookie")[0].contains("__Host-token"));
}

#[tokio::test]
async fn the_doors_of_other_proxies_go_by_the_original_request() {
    let setup = TestSetup::with_token_settings(SETTING, ROUTES).await;
    let token = setup.token();
    let nginx = Client::new(setup.forward_auth.unwrap());
    let envoy = Client::new(setup.ext_authz.unwrap());
    for (method, more, status) in [
        (Method::GET, "none", 200),
        (Method::GET, "cross-site", 401),
        (Method::POST, "same-origin", 401),
    ] {
        let pairs = [
            cookie(&token),
            site(more),
            ("x-original-method", method.to_string()),
            ("x-original-uri", "/x".to_owned()),
            ("x-forwarded-host", "gw.example".to_owned()),
            ("x-forwarded-proto", "https".to_owned()),
        ];
        let answer = nginx
            .send(request(Method::GET, "/_auth", &pairs))
            .await;
        assert_eq!(
            answer.status, status,
            "nginx {method} {more} {:?}",
            answer.headers
        );
        let answer = envoy
            .send(request(
                method.clone(),
                "/check/x",
                &[cookie(&token), site(more)],
            ))
            .await;
        assert_eq!(answer.status, status, "envoy {method} {more}");
        if status == 200 {
            assert_eq!(
                answer.headers["cookie"], "theme=dark; lang=en",
                "Envoy sets what the answer says"
            );
        }
    }
}
