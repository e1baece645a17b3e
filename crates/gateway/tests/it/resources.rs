//! Resources with a name of their own: the documents by which they describe themselves, and routes
//! that are for one audience.

use crate::client::{Client, ClientResponse};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_gateway::{Config, RequestExplainer, Settings, TrialRequest};
use portcullis_resource_server::clock::{Clock, TestClock};
use portcullis_testkit::corpus;
use serde_json::{Value, json};
use std::sync::Arc;

const DOORS: &str = r#"
[forward_auth]
listen = "127.0.0.1:0"
proxy = "caddy"
trusted_peers = ["127.0.0.1"]
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
"#;
/// A route that catches everything, and two resources.
const ROUTES: &str = r#"
[[resource]]
url = "https://gw.example/a"
audience = ["https://gw.example/a", "urn:a"]
name = "A"
documentation = "https://docs.example/a"
[[resource]]
url = "https://gw.example/b"
[[route]]
path = "/**"
[[route]]
path = "/a/{id}"
methods = ["GET"]
require = { all = [{ scope = "a:read" }, { any = [{ scope = "a:all" }, { scope = "offline_access" }] }] }
[[route]]
path = "/a/public"
access = "public"
[[route]]
path = "/a/billing"
audience = "https://gw.example/b"
[[route]]
path = "/b/x"
require = { bound = "dpop", role = "Admin" }
"#;
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

fn request(method: &str, path: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("host", "gw.example");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Full::default()).unwrap()
}

fn challenge(answer: &ClientResponse) -> &str {
    answer.headers["www-authenticate"].to_str().unwrap()
}

impl TestSetup {
    fn for_audience(&self, audience: &str, scope: &str) -> String {
        self.idp
            .token("bob")
            .audience(audience)
            .scope(scope)
            .sign()
    }
}

#[tokio::test]
async fn the_document_says_what_the_settings_say() {
    let cors = "[gateway.cors]\norigins = [\"https://app.example\"]\n";
    let setup = TestSetup::new(&format!("{cors}{DOORS}{ROUTES}")).await;
    let listeners = [
        setup.gateway,
        setup.forward_auth.unwrap(),
        setup.ext_authz.unwrap(),
    ];
    for listener in listeners {
        let client = Client::new(listener);
        let mut asked = request("GET", &format!("{WELL_KNOWN}/a"), None);
        // What a request says of itself must not get into the document.
        for name in ["x-forwarded-host", "x-forwarded-proto", "forwarded"] {
            asked
                .headers_mut()
                .insert(name, "host=evil.example".parse().unwrap());
        }
        asked
            .headers_mut()
            .insert("host", "evil.example".parse().unwrap());
        asked
            .headers_mut()
            .insert("origin", "https://other.example".parse().unwrap());
        let answer = client.send(asked).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(answer.headers["cache-control"], "public, max-age=600");
        let expected = json!({
            "resource": "https://gw.example/a",
            "authorization_servers": [setup.idp.issuer().as_str()],
            "scopes_supported": ["a:read", "a:all"],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "ES384", "RS256"],
            "resource_name": "A",
            "resource_documentation": "https://docs.example/a",
        });
        assert_eq!(answer.json(), expected);
        let other = client
            .send(request("GET", &format!("{WELL_KNOWN}/b"), None))
            .await;
        assert_eq!(other.json()["dpop_bound_access_tokens_required"], true);
        assert_eq!(other.json()["scopes_supported"], Value::Null);
    }
    assert!(setup.upstream.take_requests().is_empty());
}

/// Whether this gateway ends the TLS or a proxy in front does: clients may bind their tokens.
#[tokio::test]
async fn certificates_of_clients_are_offered_where_they_are_taken() {
    let front =
        "trusted_proxies = [\"127.0.0.1\"]\nclient_certificate = { format = \"rfc9440\" }\n";
    for (members, expected) in [(front, Value::Bool(true)), ("", Value::Null)] {
        let setup = TestSetup::new(&format!("{members}{ROUTES}")).await;
        let asked = request("GET", &format!("{WELL_KNOWN}/a"), None);
        let document = setup.client().send(asked).await.json();
        assert_eq!(
            document["tls_client_certificate_bound_access_tokens"], expected,
            "{members}"
        );
    }
}

#[tokio::test]
async fn every_row_of_the_metadata_at_every_listener() {
    let corpus = corpus::document("resource-audiences.json");
    let mut tables = String::new();
    for audience in corpus["audiences"].as_array().unwrap() {
        // The others are names besides the URL.
        if let Some(url) = audience.as_str().filter(|it| it.starts_with("https:")) {
            let table = format!("[[resource]]\nurl = \"{url}\"\naudience = \"urn:a\"\n");
            tables.push_str(&table);
        }
    }
    let catch_all = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";
    let setup = TestSetup::new(&format!("{DOORS}{tables}{catch_all}")).await;
    let rows = corpus["metadata"].as_array().unwrap();
    assert!(rows.len() > 10);
    for listener in [
        setup.gateway,
        setup.forward_auth.unwrap(),
        setup.ext_authz.unwrap(),
    ] {
        for row in rows {
            let (method, target) = (
                row["method"].as_str().unwrap(),
                row["target"].as_str().unwrap(),
            );
            let answer = Client::new(listener)
                .send(request(method, target, None))
                .await;
            assert_eq!(row["status"], answer.status, "{row}");
            assert_eq!(answer.json()["resource"], row["resource"], "{row}");
            assert_eq!(answer.headers["access-control-allow-origin"], "*", "{row}");
            let has_list = matches!(answer.status, 204 | 405);
            assert_eq!(answer.headers.contains_key("allow"), has_list, "{row}");
        }
    }
    // Nothing beneath it went to the upstream, although a public route is for everything.
    assert!(setup.upstream.take_requests().is_empty());
}

/// A 200 would be leave to forward a request whose identity headers nobody looked at.
#[tokio::test]
async fn a_question_about_metadata_is_no_request_for_it() {
    let setup = TestSetup::new(&format!("{DOORS}{ROUTES}")).await;
    let path = format!("{WELL_KNOWN}/a");
    for name in [
        "x-forwarded-uri",
        "x-original-uri",
        "x-original-url",
        "x-forwarded-method",
    ] {
        let mut asked = request("GET", &path, None);
        asked.headers_mut().insert(name, path.parse().unwrap());
        let answer = Client::new(setup.forward_auth.unwrap())
            .send(asked)
            .await;
        assert!(answer.status >= 400, "{name}: {answer:?}");
    }
    let behind = format!("/check{path}");
    let answer = Client::new(setup.ext_authz.unwrap())
        .send(request("GET", &behind, None))
        .await;
    assert_eq!(
        (answer.status, &*answer.code()),
        (401, "credential.missing")
    );
}

#[tokio::test]
async fn a_token_for_one_resource_is_none_at_another() {
    let setup = TestSetup::new(ROUTES).await;
    let client = setup.client();
    let (a, b) = ("https://gw.example/a", "https://gw.example/b");
    let own = setup.idp.audience();
    for (path, audience, scope, status, code) in [
        ("/a/1", a, "a:read a:all", 200, ""),
        ("/a/1", "urn:a", "a:read a:all", 200, ""),
        ("/a/1", b, "a:read a:all", 401, "token.audience"),
        ("/a/1", own, "a:read a:all", 401, "token.audience"),
        ("/a/1", a, "a:read", 403, "policy.scope"),
        // By the route for everything, and beneath the resource all the same.
        ("/a/x/y", a, "", 200, ""),
        ("/a/x/y", b, "", 401, "token.audience"),
        ("/b", b, "", 200, ""),
        ("/b", own, "", 401, "token.audience"),
        ("/c", own, "", 200, ""),
        ("/c", a, "", 200, ""),
        // The route knows better than the resource that it is beneath.
        ("/a/billing", b, "", 200, ""),
        ("/a/billing", a, "", 401, "token.audience"),
        ("/a/public", own, "", 200, ""),
        ("/b/x", b, "", 401, "proof.unbound"),
    ] {
        // Twice: the second time, the token is remembered.
        for _ in 0..2 {
            let token = setup.for_audience(audience, scope);
            let answer = client.send(request("GET", path, Some(&token))).await;
            assert_eq!(
                (answer.status, &*answer.code()),
                (status, code),
                "{path} {audience}"
            );
        }
    }
    // One and the same token, remembered at its own resource.
    let token = setup.for_audience(b, "");
    assert_eq!(
        client
            .send(request("GET", "/b", Some(&token)))
            .await
            .status,
        200
    );
    let refused = client
        .send(request("GET", "/a/x/y", Some(&token)))
        .await;
    assert_eq!((refused.status, &*refused.code()), (401, "token.audience"));
}

#[tokio::test]
async fn challenges_name_the_metadata_where_another_token_helps() {
    let setup = TestSetup::new(ROUTES).await;
    let client = setup.client();
    let metadata =
        r#"resource_metadata="https://gw.example/.well-known/oauth-protected-resource/a""#;
    let missing = client.send(request("GET", "/a/1", None)).await;
    let expected = format!(r#"Bearer realm="api", {metadata}, scope="a:read a:all""#);
    assert_eq!(challenge(&missing), expected);
    let token = setup.for_audience("https://gw.example/a", "a:read");
    let scope = client.send(request("GET", "/a/1", Some(&token))).await;
    let expected = format!(
        r#"Bearer realm="api", {metadata}, error="insufficient_scope", error_description="the access token lacks a scope", scope="a:read a:all""#
    );
    assert_eq!(challenge(&scope), expected);
    let token = setup.for_audience("https://gw.example/b", "");
    let outside = client.send(request("GET", "/c", None)).await;
    assert_eq!(challenge(&outside), r#"Bearer realm="api""#);
    let audience = client.send(request("GET", "/a/billing", None)).await;
    assert!(challenge(&audience).contains(metadata), "{audience:?}");
    let fine = client
        .send(request("GET", "/a/billing", Some(&token)))
        .await;
    assert_eq!(fine.status, 200);
}

#[tokio::test]
async fn the_record_names_both_audiences() {
    let setup = TestSetup::new(ROUTES).await;
    let settings = Settings::try_from(Config::from_toml(&setup.document(ROUTES)).unwrap());
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&setup.clock);
    let explainer = RequestExplainer::new(settings.unwrap(), &clock).unwrap();
    let token = setup.for_audience("https://gw.example/b", "");
    let asked = request("GET", "/a/x/y", Some(&token));
    let trial = TrialRequest::new("GET", "/a/x/y", asked.headers().clone());
    let told = explainer.explain(trial).await;
    assert_eq!(told.verdict.code, Some("token.audience"));
    let resource = told.resource.unwrap();
    assert_eq!(resource.url, "https://gw.example/a");
    assert_eq!(
        told.demands[0].demand,
        "audience `https://gw.example/a` or `urn:a`"
    );
    assert_eq!(told.demands[0].found, "audience `https://gw.example/b`");
    assert_eq!(told.demands[0].met, Some(false));
    let facts = "expected audience `https://gw.example/a` or `urn:a`, \
                 found audience `https://gw.example/b`";
    assert_eq!(told.verdict.facts, facts);
    let path = format!("{WELL_KNOWN}/a");
    let asked = TrialRequest::new("GET", &path, request("GET", &path, None).headers().clone());
    assert_eq!(explainer.explain(asked).await.verdict.status, Some(200));
}

fn faults(tables: &str) -> Vec<String> {
    let text = format!(
        "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"https://gw.example/a\", \"u\"]\n\
         [gateway]\nupstream = \"http://127.0.0.1:1\"\n{tables}"
    );
    match Settings::try_from(Config::from_toml(&text).unwrap()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|it| it.place().to_owned()).collect(),
    }
}

#[test]
fn an_audience_that_no_issuer_has_is_a_fault() {
    for (tables, place) in [
        (
            "[[route]]\npath = \"/a\"\naudience = \"x\"\n",
            "route[0].audience",
        ),
        (
            "[[route]]\npath = \"/a\"\naudience = [\"u\", \"x\"]\n",
            "route[0].audience",
        ),
        (
            "[[route]]\npath = \"/a\"\naudience = []\n",
            "route[0].audience",
        ),
        (
            "[[route]]\npath = \"/a\"\naudience = \"u\"\naccess = \"public\"\n",
            "route[0].access",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = { any = [{ role = \"r\" }, { audience = \"x\" }] }\n",
            "route[0].require.any[1].audience",
        ),
        (
            "[[resource]]\nurl = \"https://gw.example/x\"\n",
            "resource[0].url",
        ),
        (
            "[[resource]]\nurl = \"https://gw.example/a\"\naudience = \"x\"\n",
            "resource[0].audience",
        ),
    ] {
        assert!(
            faults(tables).iter().any(|it| it == place),
            "{tables}: {:?}",
            faults(tables)
        );
    }
    // One fault does not hide the other, and each is told once.
    let both = faults(
        "[[resource]]\nurl = \"http://a.example\"\n[[route]]\npath = \"/a\"\naudience = \"x\"\n",
    );
    assert_eq!(both, ["resource[0].url", "route[0].audience"]);
    let fine = "[[route]]\npath = \"/a\"\naudience = [\"u\"]\nrequire = { scope = \"s\" }\n\
                [[resource]]\nurl = \"https://gw.example/a\"\n";
    assert_eq!(faults(fine), Vec::<String>::new());
}
