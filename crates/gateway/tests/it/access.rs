//! Who passes, and what a caller is told who does not.

use crate::client::get;
use crate::setup::TestSetup;
use http::header::{CONNECTION, WWW_AUTHENTICATE};
use portcullis_idp::Endpoint;

const ROUTES: &str = r#"
[[route]]
path = "/public/**"
access = "public"
[[route]]
path = "/maybe"
access = "optional"
[[route]]
path = "/admin/**"
require = { role = "Admin" }
[[route]]
path = "/orders"
methods = ["POST"]
require = { scope = ["orders:read", "orders:write"] }
"#;

#[tokio::test]
async fn each_route_demands_what_it_says() {
    let setup = TestSetup::new(ROUTES).await;
    let client = setup.client();
    let (bob, alice) = (setup.token(), setup.idp.token("alice").sign());
    for (path, token, status, code) in [
        ("/public/x", None, 200, ""),
        ("/public/x", Some("rubbish"), 200, ""),
        ("/maybe", None, 200, ""),
        ("/maybe", Some("rubbish"), 401, "token.malformed"),
        ("/maybe", Some(bob.as_str()), 200, ""),
        ("/else", None, 401, "credential.missing"),
        ("/else", Some(&bob), 200, ""),
        ("/admin/x", Some(&bob), 403, "policy.role"),
        ("/admin", Some(&bob), 403, "policy.role"),
        ("/admin/", Some(&bob), 403, "policy.role"),
        ("/%61dmin", Some(&bob), 403, "policy.role"),
        ("/admin/x", Some(&alice), 200, ""),
        ("/admin/../admin", Some(&alice), 400, "request.path"),
    ] {
        let answer = client.get(path, token).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{path} {token:?}"
        );
        let saw = setup.upstream.take_requests();
        assert_eq!(saw.len(), usize::from(status == 200), "{path}");
        if status != 200 {
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(answer.headers.contains_key("x-request-id"));
        }
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let setup = TestSetup::new(ROUTES).await;
    let token = setup.idp.token("bob").scope("orders:read").sign();
    let mut request = get("/orders", Some(&token));
    *request.method_mut() = http::Method::POST;
    let answer = setup.client().send(request).await;
    assert_eq!(answer.status, 403);
    let challenge = answer.headers[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(
        challenge.contains("scope=\"orders:read orders:write\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn an_outage_is_ours() {
    let setup = TestSetup::new("").await;
    setup
        .idp
        .fail(Endpoint::Jwks, portcullis_idp::Fault::InternalError);
    setup
        .clock
        .advance(std::time::Duration::from_secs(90_000));
    let answer = setup.client().get("/x", Some(&setup.token())).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "outage.keys")
    );
    assert!(setup.upstream.take_requests().is_empty());
}

#[tokio::test]
async fn an_answer_loses_what_was_between_neighbours() {
    let setup = TestSetup::new(ROUTES).await;
    let answer = setup.client().get("/public/x", None).await;
    assert_eq!(answer.headers["x-upstream"], "1");
    assert!(!answer.headers.contains_key("x-hop") && !answer.headers.contains_key(CONNECTION));
}

#[tokio::test]
async fn a_preflight_passes_where_it_may() {
    let preflight = || {
        let mut request = get("/orders", None);
        *request.method_mut() = http::Method::OPTIONS;
        request
            .headers_mut()
            .insert("origin", "https://app.example".parse().unwrap());
        request
            .headers_mut()
            .insert("access-control-request-method", "POST".parse().unwrap());
        request
    };
    let strict = TestSetup::new("").await;
    assert_eq!(strict.client().send(preflight()).await.status, 401);
    let open = TestSetup::new("public_preflight = true\n").await;
    assert_eq!(open.client().send(preflight()).await.status, 200);
    let mut other = preflight();
    other.headers_mut().remove("origin");
    assert_eq!(open.client().send(other).await.status, 401);
}

#[tokio::test]
async fn the_token_goes_along_where_it_should() {
    let setup = TestSetup::new("identity = { forward_token = true }\n").await;
    let token = setup.token();
    assert_eq!(setup.client().get("/x", Some(&token)).await.status, 200);
    assert_eq!(
        setup.upstream.take_requests()[0].values("authorization"),
        [format!("Bearer {token}")]
    );
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_about_those_before_it() {
    let setup = TestSetup::new("trusted_proxies = [\"127.0.0.0/8\"]\n").await;
    let mut request = get("/x", Some(&setup.token()));
    request
        .headers_mut()
        .insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
    request
        .headers_mut()
        .insert("x-forwarded-host", "evil.example".parse().unwrap());
    assert_eq!(setup.client().send(request).await.status, 200);
    let saw = setup.upstream.take_requests();
    assert_eq!(saw[0].values("x-forwarded-for"), ["192.0.2.7, 127.0.0.1"]);
    assert_eq!(saw[0].values("x-forwarded-host"), ["gw.example"]);
}

#[tokio::test]
async fn the_upstream_is_told_what_the_settings_name() {
    let settings = r#"
        [gateway.identity.headers]
        x-auth-subject = "subject"
        remote-kind = "kind"
        x-auth-roles = "roles"
        x-auth-scopes = "scopes"
        x-auth-level = "claim:level"
        x-auth-tags = "claim:tags"
        x-auth-nothing = "claim:nothing"
        x-auth-object = "claim:object"
    "#;
    let setup = TestSetup::new(settings).await;
    let token = setup
        .idp
        .token("alice")
        .role("Clerk, senior")
        .scope("a:b c")
        .claim("level", 3);
    let token = token
        .claim("tags", vec!["x", "y\u{e9}"])
        .claim("object", serde_json::json!({ "a": 1 }))
        .sign();
    let mut request = get("/x", Some(&token));
    for name in [
        "remote_kind",
        "x-auth-nothing",
        "x-auth-object",
        "x-auth-else",
    ] {
        request.headers_mut().insert(
            http::HeaderName::from_static(name),
            "forged".parse().unwrap(),
        );
    }
    assert_eq!(setup.client().send(request).await.status, 200);
    let saw = setup.upstream.take_requests();
    for (name, value) in [
        ("remote-kind", Some("user")),
        ("x-auth-roles", Some("Admin,Clerk%2C senior")),
        ("x-auth-scopes", Some("a:b c")),
        ("x-auth-level", Some("3")),
        ("x-auth-tags", Some("x,y%C3%A9")),
        ("x-auth-nothing", None),
        ("x-auth-object", None),
        ("x-auth-else", None),
    ] {
        assert_eq!(
            saw[0].values(name).first().map(String::as_str),
            value,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_token_in_a_header_of_its_own_stays_with_the_gateway() {
    let setup =
        TestSetup::with_token_settings("token_header = \"cf-access-jwt-assertion\"\n", ROUTES)
            .await;
    let token = setup.token();
    for (path, status) in [
        ("/x", 200),
        ("/maybe", 200),
        ("/public/x", 200),
        ("/admin/x", 403),
    ] {
        let mut request = get(path, None);
        request
            .headers_mut()
            .insert("cf-access-jwt-assertion", token.parse().unwrap());
        assert_eq!(setup.client().send(request).await.status, status, "{path}");
        for saw in setup.upstream.take_requests() {
            assert!(saw.values("cf-access-jwt-assertion").is_empty(), "{path}");
        }
    }
    let mut request = get("/maybe", None);
    request
        .headers_mut()
        .insert("cf-access-jwt-assertion", "rubbish".parse().unwrap());
    assert_eq!(setup.client().send(request).await.status, 401);
}
