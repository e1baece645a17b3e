//! The door inside an application: the same routes and the same answers, without a listener.

use http::{HeaderMap, HeaderValue, Method};
use portcullis_core::ConfigErrors;
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_gateway::{Config, EmbeddedGateway, EmbeddedRequest, Settings};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::Revocation;
use portcullis_resource_server::clock::{Clock, TestClock};
use std::sync::Arc;
use std::time::Duration;

const ROUTES: &str = r#"
[gateway]
hosts = ["gw.example"]
[gateway.identity.headers]
x-auth-subject = "subject"
x-auth-email = "claim:email"
[gateway.limits]
failing_callers = 10
[[route]]
name = "public"
path = "/public/**"
access = "public"
[[route]]
name = "admin"
path = "/admin/**"
require = { role = "Admin" }
"#;

struct World {
    clock: Arc<TestClock>,
    idp: Idp,
    gateway: EmbeddedGateway,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(1_800_000_000)));
        let time = Arc::clone(&clock);
        let now = move || u64::try_from(time.now().seconds()).unwrap();
        let idp = Idp::start_at(IdpConfig::default(), now).await.unwrap();
        let (url, audience) = (idp.issuer(), idp.audience());
        let text = format!("[[issuer]]\nurl = \"{url}\"\naudience = \"{audience}\"\n{ROUTES}");
        let settings = settings(&text).unwrap();
        let as_clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&clock);
        let gateway = EmbeddedGateway::new(settings, &as_clock).unwrap();
        Self {
            clock,
            idp,
            gateway,
        }
    }

    fn request(&self, target: &str, user: &str) -> EmbeddedRequest {
        let token = self.idp.token(user).sign();
        EmbeddedRequest::new(
            Method::GET,
            target,
            headers(&[("authorization", &bearer(&token))]),
        )
    }

    /// Why a token ends, while time goes on.
    async fn end_of(&self, token: AccessToken) -> &'static str {
        let time = async {
            for _ in 0..10_000 {
                self.clock.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            end = self.gateway.wait_for_end(token) => end.phrase(),
            () = time => panic!("the token does not end"),
        }
    }

    /// The route of a request, or the code of its refusal.
    async fn outcome(&self, request: EmbeddedRequest) -> Result<String, &'static str> {
        match self.gateway.admit(request).await {
            Ok(admission) => Ok(admission.route),
            Err(away) => Err(away.code()),
        }
    }
}

fn settings(text: &str) -> Result<Settings, ConfigErrors> {
    Settings::for_application(Config::for_application(text)?)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// These headers, and a host.
fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("gw.example"));
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::try_from(*value).unwrap());
    }
    headers
}

#[tokio::test]
async fn routes_decide_as_they_do_behind_a_listener() {
    let world = World::new().await;
    let bare = |target: &str| EmbeddedRequest::new(Method::GET, target, headers(&[]));
    assert_eq!(world.outcome(bare("/public/a?b")).await.unwrap(), "public");
    assert_eq!(world.outcome(bare("/x")).await, Err("credential.missing"));
    for (target, user, expected) in [
        ("/x", "bob", Ok("default".to_owned())),
        ("/admin/a", "alice", Ok("admin".to_owned())),
        ("/admin/a", "bob", Err("policy.role")),
        ("/public/../admin/a", "bob", Err("request.path")),
        ("/a#b", "bob", Err("request.target")),
    ] {
        let outcome = world.outcome(world.request(target, user)).await;
        assert_eq!(outcome, expected, "{target} {user}");
    }
    let routes: Vec<&str> = world.gateway.routes().collect();
    assert_eq!(routes, ["public", "admin", "default"]);
}

#[tokio::test]
async fn the_head_of_a_request_is_read_strictly() {
    let world = World::new().await;
    let request = |pairs: &[(&'static str, &str)]| {
        let mut headers = headers(pairs);
        if pairs.iter().any(|(name, _)| *name == "host") {
            headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::try_from(*value).unwrap());
            }
        }
        EmbeddedRequest::new(Method::GET, "/public/a", headers)
    };
    for (pairs, code) in [
        (&[("host", "other.example")][..], "request.misdirected"),
        (
            &[("host", "gw.example"), ("host", "gw.example")],
            "request.host",
        ),
        (&[("host", "a b")], "request.host"),
        (&[("transfer-encoding", "gzip")], "request.coding"),
    ] {
        assert_eq!(world.outcome(request(pairs)).await, Err(code), "{pairs:?}");
    }
    let no_host = EmbeddedRequest::new(Method::GET, "/public/a", HeaderMap::new());
    assert_eq!(world.outcome(no_host).await, Err("request.host"));
    let trace = EmbeddedRequest::new(Method::TRACE, "/public/a", headers(&[]));
    assert_eq!(world.outcome(trace).await, Err("request.method"));
}

/// The application undoes escapes before it splits a path, so a slash that hides in one is refused,
/// whatever the route.
#[tokio::test]
async fn the_path_on_the_wire_has_one_reading_too() {
    let world = World::new().await;
    let sent =
        |path: &str| EmbeddedRequest::new(Method::GET, "/public/a/b", headers(&[])).sent_as(path);
    assert!(world.outcome(sent("/public/a/b")).await.is_ok());
    assert!(world.outcome(sent("/%70ublic/a/b")).await.is_ok());
    for path in [
        "/public/a%2Fb",
        "/public/a%2fb",
        "/x/../public/a/b",
        "public",
    ] {
        assert_eq!(
            world.outcome(sent(path)).await,
            Err("request.path"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_application_sees_the_headers_of_the_gateway_only() {
    let world = World::new().await;
    let token = world
        .idp
        .token("bob")
        .claim("sub", "user-1")
        .without("email");
    let forged = [
        ("authorization", &*bearer(&token.sign())),
        ("x-auth-subject", "root"),
        ("x_auth_email", "root@example.com"),
        ("x-auth-anything", "x"),
        ("x-other", "y"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let request = EmbeddedRequest::new(Method::GET, "/x", headers(&forged));
    let admission = world.gateway.admit(request).await.unwrap();
    assert_eq!(admission.token.unwrap().subject(), Some("user-1"));
    let mut removed: Vec<&str> = admission
        .removed
        .iter()
        .map(|name| name.as_str())
        .collect();
    removed.sort_unstable();
    assert_eq!(
        removed,
        ["x-auth-anything", "x-auth-subject", "x_auth_email"]
    );
    let told: Vec<_> = admission
        .identity
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    assert_eq!(
        told,
        [("x-auth-subject", &HeaderValue::from_static("user-1"))]
    );
}

#[tokio::test]
async fn a_request_that_is_turned_away_says_why_to_each_side() {
    let world = World::new().await;
    let request = EmbeddedRequest::new(Method::GET, "/x", headers(&[("x-request-id", "r-1")]));
    let away = world.gateway.admit(request).await.unwrap_err();
    assert_eq!(away.phrase(), "a bearer token is required");
    assert!(away.denial().is_some() && away.cure().is_some() && !away.facts().is_empty());
    let response = away.into_response();
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Bearer realm=\"api\""
    );
    assert!(String::from_utf8_lossy(response.body()).contains("\"request_id\":\"r-1\""));

    let request = EmbeddedRequest::new(Method::GET, "/a;b", headers(&[("x-request-id", "r-2")]));
    let away = world.gateway.admit(request).await.unwrap_err();
    assert_eq!(
        (away.phrase(), away.facts().as_str()),
        ("the path has more than one reading", "a semicolon")
    );
    assert!(away.denial().is_none() && away.cure().is_none());
    let response = away.into_response();
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["x-request-id"]
        ),
        (400, &HeaderValue::from_static("r-2"))
    );
}

#[tokio::test]
async fn a_websocket_may_bring_its_token_among_the_subprotocols() {
    let world = World::new().await;
    let offered = format!("chat, bearer, {}", world.idp.token("alice").sign());
    let request = || {
        let headers = headers(&[("sec-websocket-protocol", &offered)]);
        EmbeddedRequest::new(Method::GET, "/admin/a", headers)
    };
    assert_eq!(world.outcome(request()).await, Err("credential.missing"));
    assert_eq!(
        world.outcome(request().for_websocket()).await.unwrap(),
        "admin"
    );
}

#[tokio::test]
async fn callers_who_keep_failing_have_to_wait() {
    let world = World::new().await;
    let request = |address: Option<&str>| {
        let request = EmbeddedRequest::new(Method::GET, "/x", headers(&[]));
        match address {
            Some(address) => request.from_address(address.parse().unwrap()),
            None => request,
        }
    };
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.push(
            world
                .outcome(request(Some("192.0.2.1")))
                .await
                .unwrap_err(),
        );
    }
    assert_eq!(
        codes.last(),
        Some(&"request.refused_too_often"),
        "{codes:?}"
    );
    // Another one, and a neighbour on a Unix socket, do not.
    for address in [Some("192.0.2.2"), None] {
        for _ in 0..9 {
            assert_eq!(
                world.outcome(request(address)).await,
                Err("credential.missing")
            );
        }
    }
}

#[tokio::test]
async fn a_token_ends_by_time_and_by_revocation() {
    let world = World::new().await;
    let admit = || async {
        let admission = world.gateway.admit(world.request("/x", "bob")).await;
        admission.unwrap().token.unwrap()
    };
    let token = admit().await;
    assert_eq!(world.end_of(token).await, "the access token expired");

    let token = admit().await;
    let revocation = Revocation::of_token(&token, world.clock.now()).unwrap();
    world
        .gateway
        .resource_server()
        .revoke(revocation)
        .await
        .unwrap();
    assert_eq!(world.end_of(token).await, "the access token was revoked");
}

#[tokio::test]
async fn figures_are_those_of_a_gateway() {
    let world = World::new().await;
    assert!(world.outcome(world.request("/x", "bob")).await.is_ok());
    let figures = world.gateway.metrics();
    assert!(figures.contains("portcullis_decisions_total{outcome=\"allow\",code=\"ok\"} 1\n"));
    assert!(figures.contains("portcullis_keys{"), "{figures}");
}

#[test]
fn an_application_needs_no_table_of_the_gateway() {
    let issuer = "[[issuer]]\nurl = \"https://idp.example\"\naudience = \"a\"\n";
    assert!(settings(issuer).is_ok());
    // The same file goes behind listeners too: what they need changes nothing here.
    let whole = "[gateway]\nupstream = \"http://127.0.0.1:1\"\n[forward_auth]\nlisten = \"127.0.0.1:1\"\nproxy = \"nginx\"\n[[route]]\npath = \"/a\"\nupstream = \"b\"\n[[upstream]]\nname = \"b\"\nservers = [\"http://127.0.0.1:2\"]\n";
    settings(&format!("{issuer}{whole}")).unwrap();
    let errors = settings("[[route]]\npath = \"a\"\nrole = 1\n")
        .unwrap_err()
        .to_string();
    for fault in ["route[0].role", "route[0].path", "issuer"] {
        assert!(errors.contains(fault), "{fault}: {errors}");
    }
    assert!(!errors.contains("upstream"), "{errors}");
}
