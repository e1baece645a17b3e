//! Routes with Cedar policies: the committed example, and policies that change, fail, or are
//! invalid.

use crate::client::Client;
use crate::setup::TestSetup;
use crate::upstream::Upstream;
use http::{HeaderValue, Method, Request};
use portcullis_gateway::{Config, DemandChange, Gateway, Settings, cedar_schema};
use portcullis_idp::{Dialect, Endpoint, Idp, IdpConfig};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/cedar")
}

/// A folder of policies, removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("portcullis-cedar-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, file: &str, policies: &str) {
        std::fs::write(self.0.join(file), policies).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Settings whose `[cedar]` reads this folder.
fn tables(folder: &Path, more: &str) -> String {
    format!("[cedar]\npolicies = [\"{}\"]\n{more}", folder.display())
}

const ONE_ROUTE: &str = "[[route]]\npath = \"/x\"\nrequire = { cedar = true }\n";

/// The committed settings, with the test's issuer and upstream.
fn example_settings() -> String {
    let text = std::fs::read_to_string(example().join("portcullis.toml")).unwrap();
    let (_, tables) = text.split_once("[cedar]").unwrap();
    let folder = example().join("policies");
    let tables = tables.replacen("[\"policies\"]", &format!("[\"{}\"]", folder.display()), 1);
    format!("trusted_proxies = [\"127.0.0.1\"]\n[cedar]{tables}")
}

#[tokio::test]
async fn the_example_decides_as_it_says() {
    let setup = TestSetup::new(&example_settings()).await;
    let asks = async |method: Method, path: &str, token: &str, from: &str| {
        let mut request = crate::client::get(path, Some(token));
        *request.method_mut() = method;
        request
            .headers_mut()
            .insert("x-forwarded-for", HeaderValue::from_str(from).unwrap());
        let answer = setup.client().send(request).await;
        if answer.status == 200 {
            "200".to_owned()
        } else {
            format!("{} {}", answer.status, answer.code())
        }
    };
    let bob = |department: &str| {
        setup
            .idp
            .token("bob")
            .claim("sub", "user-1")
            .claim("department", department)
    };
    let own = bob("legal").sign();
    let admin = setup.idp.token("alice").sign();
    let suspended = setup
        .idp
        .token("alice")
        .claim("suspended", true)
        .sign();
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    for (method, path, token, expected) in [
        (&get, "/users/user-1/orders/7", &own, "200"),
        (&Method::HEAD, "/users/user-1/orders", &own, "200"),
        (&get, "/users/%75ser-1/orders", &own, "200"),
        (&get, "/users/user-2/orders/7", &own, "403 policy.denied"),
        (&get, "/orders/7", &own, "403 policy.denied"),
        (&get, "/orders/7", &bob("sales").sign(), "200"),
        (&get, "/users/user-2/orders/7", &bob("sales").sign(), "200"),
        (&post, "/orders", &bob("sales").sign(), "403 policy.denied"),
        (&post, "/orders", &admin, "200"),
        (&delete, "/orders/7", &admin, "200"),
        (&post, "/import", &admin, "200"),
        (&get, "/orders/7", &suspended, "403 policy.denied"),
        (&get, "/elsewhere", &suspended, "200"),
    ] {
        assert_eq!(
            asks(method.clone(), path, token, "192.0.2.7").await,
            expected,
            "{method} {path}"
        );
    }
    let job = || setup.idp.token("service").scope("orders:write").sign();
    assert_eq!(
        asks(post.clone(), "/import", &job(), "10.1.2.3").await,
        "403 policy.denied",
        "by day"
    );
    setup.clock.advance(Duration::from_secs(17 * 3_600));
    assert_eq!(
        asks(post.clone(), "/import", &job(), "10.1.2.3").await,
        "200"
    );
    assert_eq!(
        asks(post.clone(), "/import", &job(), "192.0.2.7").await,
        "403 policy.denied",
        "from elsewhere"
    );
    assert_eq!(
        asks(post, "/orders", &job(), "10.1.2.3").await,
        "403 policy.denied",
        "no user"
    );
}

#[test]
fn the_document_holds_the_example() {
    let text = std::fs::read_to_string(example().join("../../docs/gateway/cedar.md")).unwrap();
    for file in [
        "policies/orders.cedar",
        "policies/everywhere.cedar",
        "portcullis.toml",
    ] {
        let part = std::fs::read_to_string(example().join(file)).unwrap();
        let (_, part) = part.split_once("\n\n").unwrap_or_default();
        let part = if file == "portcullis.toml" {
            part.split_once("[cedar]").unwrap().1
        } else {
            part
        };
        assert!(
            text.contains(part.trim_end()),
            "docs/gateway/cedar.md does not hold {file} as it is"
        );
    }
}

#[tokio::test]
async fn policies_that_change_are_taken_into_use_and_bad_ones_are_not() {
    const PERMIT: &str = "permit (principal, action == Portcullis::Action::\"GET\", resource);";
    let folder = Folder::new("reload");
    folder.write("a.cedar", PERMIT);
    let settings = tables(&folder.0, ONE_ROUTE);
    let setup = TestSetup::new(&settings).await;
    let path = folder.0.join("portcullis.toml");
    std::fs::write(&path, setup.document(&settings)).unwrap();
    let watching = tokio::spawn(portcullis_gateway::watch(setup.handle.clone(), path));
    let (client, token) = (setup.client(), setup.token());
    let becomes = async |status: u16| {
        for _ in 0..1_000 {
            if client.get("/x", Some(&token)).await.status == status {
                return;
            }
            setup.clock.advance(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("never {status}");
    };
    becomes(200).await;
    folder.write("b.cedar", "forbid (principal, action, resource);");
    becomes(403).await;
    folder.write(
        "b.cedar",
        "forbid (principal, action, resource) when { principal.groops == 1 };",
    );
    for _ in 0..20 {
        becomes(403).await;
        setup.clock.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    std::fs::remove_file(folder.0.join("b.cedar")).unwrap();
    becomes(200).await;
    watching.abort();
}

#[tokio::test]
async fn a_policy_that_fails_is_an_outage_in_the_log_the_audit_and_the_figures() {
    let folder = Folder::new("failing");
    folder.write(
        "a.cedar",
        "@id(\"all\") permit (principal, action, resource);\n\
         @id(\"much\") forbid (principal, action, resource) when { principal.claims has level && principal.claims.level * 9 == 0 };",
    );
    let audit = folder.0.join("audit.json");
    let more = format!(
        "[cedar.claims]\nlevel = \"Long\"\n{ONE_ROUTE}\
         [[route]]\npath = \"/not\"\nrequire = {{ not = {{ cedar = true }} }}\n\
         [[route]]\npath = \"/either\"\nname = \"either\"\nrequire = {{ any = [{{ cedar = true }}, {{ role = \"Admin\" }}] }}\n\
         [log]\nformat = \"json\"\naudit = \"{}\"\n",
        audit.display()
    );
    let admin = "admin = { listen = \"127.0.0.1:0\" }\n";
    let setup = TestSetup::new(&format!("{admin}{}", tables(&folder.0, &more))).await;
    let (small, large) = (1, i64::MAX);
    let token = |user: &str, level: i64| setup.idp.token(user).claim("level", level).sign();
    for (path, token, status, code) in [
        ("/x", token("bob", small), 200, ""),
        ("/x", token("bob", 0), 403, "policy.denied"),
        ("/x", token("bob", large), 503, "outage.policy"),
        ("/not", token("bob", large), 503, "outage.policy"),
        ("/not", token("bob", small), 403, "policy.denied"),
        ("/either", token("bob", large), 503, "outage.policy"),
        ("/either", token("alice", large), 200, ""),
        (
            "/x",
            setup.idp.token("bob").claim("level", "7").sign(),
            503,
            "outage.policy",
        ),
    ] {
        let answer = setup.client().get(path, Some(&token)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{path}"
        );
        assert!(
            !String::from_utf8_lossy(&answer.body).contains("much"),
            "policies are not for the client"
        );
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
    }
    let figures = Client::new(setup.admin.unwrap())
        .get("/metrics", None)
        .await;
    let figures = String::from_utf8_lossy(&figures.body).into_owned();
    assert!(
        figures.contains("portcullis_gateway_policy_failures_total 4\n"),
        "{figures}"
    );
    assert!(figures.contains("route=\"either\""), "{figures}");
    setup.stop().await;
    let records = std::fs::read_to_string(audit).unwrap();
    let record = |number: usize| -> serde_json::Value {
        serde_json::from_str(records.lines().nth(number).unwrap()).unwrap()
    };
    assert_eq!(
        record(0)["policies"],
        serde_json::json!(["all"]),
        "{records}"
    );
    assert_eq!(record(1)["policies"], serde_json::json!(["much"]));
    let facts = record(1)["facts"].as_str().unwrap().to_owned();
    assert!(
        facts.starts_with("expected policies that permit `GET` (forbidden by much), found "),
        "{facts}"
    );
    assert!(record(2).get("policies").is_none());
    assert_eq!(
        record(2)["facts"],
        "policy `much` cannot be evaluated: a number overflows"
    );
    assert_eq!(
        record(7)["facts"],
        "a claim is not of the type that `cedar.claims` says"
    );
}

#[tokio::test]
async fn groups_that_do_not_fit_into_a_token_are_looked_up_for_a_policy() {
    let folder = Folder::new("groups");
    folder.write(
        "a.cedar",
        "permit (principal, action, resource) unless { principal.groups.contains(\"group-7\") };\n\
         forbid (principal in Portcullis::Group::\"group-8\", action, resource == Portcullis::Route::\"/y\");\n\
         forbid (principal in Portcullis::Group::\"group-999\", action == Portcullis::Action::\"POST\", resource);\n",
    );
    let mut config = IdpConfig {
        dialect: Dialect::Entra,
        ..IdpConfig::default()
    };
    config.users[1].groups = (0..250)
        .map(|number| format!("group-{number}"))
        .collect();
    let idp = Idp::start(config).await.unwrap();
    let upstream = Upstream::start().await;
    let start = async |more: &str| {
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\nprofile = \"entra-v2\"\n{more}\
             [log]\naudit = \"none\"\n[gateway]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\n{}",
            idp.issuer(),
            idp.audience(),
            upstream.url(),
            tables(
                &folder.0,
                "[[route]]\npath = \"/{any}\"\nrequire = { cedar = true }\n[[route]]\npath = \"/y\"\nrequire = { cedar = true }\n"
            )
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        let gateway = Gateway::bind(settings).await.unwrap();
        let client = Client::new(gateway.address().unwrap());
        tokio::spawn(gateway.run(std::future::pending()));
        client
    };
    let (bob, alice) = (idp.token("bob").sign(), idp.token("alice").sign());
    let client = start("").await;
    let answer = client.get("/x", Some(&bob)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "policy.groups_unknown")
    );
    assert_eq!(client.get("/x", Some(&alice)).await.status, 200);
    let secret = folder.0.join("secret");
    std::fs::write(&secret, "service-secret").unwrap();
    let lookup = format!(
        "[issuer.groups_lookup]\nclient_id = \"service\"\nclient_secret_file = \"{}\"\nurl = \"{}\"\n",
        secret.display(),
        idp.graph()
    );
    let client = start(&lookup).await;
    assert_eq!(client.get("/x", Some(&bob)).await.code(), "policy.denied");
    assert_eq!(client.get("/y", Some(&bob)).await.code(), "policy.denied");
    assert!(idp.requests(Endpoint::Graph) > 0);
}

#[test]
fn a_route_that_policies_see_otherwise_is_a_difference() {
    let folder = Folder::new("renamed");
    folder.write("a.cedar", "permit (principal, action, resource);");
    let settings = |members: &str| {
        let route = format!("[[route]]\n{members}\nrequire = {{ cedar = true }}\n");
        let text = format!(
            "[[issuer]]\nurl = \"https://a\"\naudience = [\"b\"]\n[gateway]\nupstream = \"http://127.0.0.1:1\"\n{}",
            tables(&folder.0, &route)
        );
        Settings::try_from(Config::from_toml(&text).unwrap()).unwrap()
    };
    let old = settings("path = \"/x/{id}\"\nname = \"orders\"");
    for (new, differs) in [
        ("path = \"/x/{id}\"\nname = \"orders\"", false),
        ("path = \"/x/{id}\"\nname = \"invoices\"", true),
        ("path = \"/x/{key}\"\nname = \"orders\"", true),
    ] {
        let new = settings(new);
        let comparison = old.compare(&new).unwrap();
        let mut changes = comparison.requests.iter().map(|it| it.change);
        assert_eq!(changes.any(|it| it == DemandChange::Changed), differs);
        assert!(comparison.others.is_empty());
    }
}

/// The faults of `[cedar]` in settings, each with its place and help.
fn faults(settings: &str) -> String {
    let text = format!(
        "[[issuer]]\nurl = \"https://a\"\naudience = [\"b\"]\n[gateway]\nupstream = \"http://127.0.0.1:1\"\n{settings}"
    );
    let errors = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap_err();
    errors
        .iter()
        .map(|it| format!("{}: {} ({})\n", it.place(), it.message(), it.help()))
        .collect()
}

#[test]
fn faults_of_policies_have_their_file_and_line() {
    let folder = Folder::new("faults");
    let file = folder.0.join("a.cedar").display().to_string();
    for (policies, place, told) in [
        (
            "permit (principal, action, resource);\npermit (principle, action, resource);",
            "2:9",
            "principle",
        ),
        (
            "permit (principal, action, resource)\nwhen { principal.rolls.contains(\"x\") };",
            "2:8",
            "rolls",
        ),
        (
            "\n\npermit (principal, action == Portcullis::Action::\"FETCH\", resource);",
            "3:30",
            "FETCH",
        ),
        (
            "permit (principal, action, resource) when { principal.tenant == \"x\" };",
            "1:45",
            "tenant",
        ),
        (
            "permit (principal, action, resource) when { principal.subject like \"a\" + 1 };",
            "1:",
            "",
        ),
        (
            "permit (principal in Portcullis::Team::\"x\", action, resource);",
            "1:22",
            "Team",
        ),
        // Such a policy would never apply.
        (
            "permit (principal, action, resource) when { principal is Portcullis::Route };",
            "1:1",
            "impossible",
        ),
        (
            "permit (principal == ?principal, action, resource);",
            "",
            "found a template",
        ),
        (
            "@id(\"x\") permit (principal, action, resource);\n  @id(\"x\") permit (principal, action, resource);",
            "2:3",
            "another policy is called `x` already",
        ),
    ] {
        folder.write("a.cedar", policies);
        let found = faults(&tables(&folder.0, ONE_ROUTE));
        let at = if place.is_empty() {
            file.clone()
        } else {
            format!("{file}:{place}")
        };
        assert!(
            found.starts_with(&at) && found.contains(told),
            "{policies}: {found}"
        );
    }
    folder.write("a.cedar", "");
    assert!(
        faults(&tables(&folder.0, ONE_ROUTE))
            .starts_with("cedar.policies: expected at least one policy")
    );
}

#[test]
fn all_other_faults_are_told_at_once() {
    let folder = Folder::new("others");
    let found = faults(&format!(
        "[cedar]\npolicies = [\"{}\", \"/nowhere.cedar\"]\n[cedar.claims]\nlevel = \"Int\"\n\"a b\" = \"Long\"\n\
         [[route]]\nname = \"default\"\npath = \"/a/{{x}}/{{x}}\"\nrequire = {{ cedar = \"a b\" }}\n\
         [[route]]\npath = \"/b\"\nrequire = {{ not = {{ cedar = false }} }}\n\
         [[route]]\npath = \"/c\"\nname = \"c\"\n[[route]]\npath = \"/d\"\nname = \"c\"\n",
        folder.0.display(),
    ));
    for place in [
        "cedar.claims.level: ",
        "cedar.claims.a b: ",
        "cedar.policies[1]: /nowhere.cedar: ",
        &format!("cedar.policies[0]: {}: ", folder.0.display()),
        "route[0].name: ",
        "route[0].path: ",
        "route[0].require.cedar: ",
        "route[1].require.not.cedar: ",
        "route[3].name: ",
    ] {
        assert!(
            found.lines().any(|line| line.starts_with(place)),
            "{place}: {found}"
        );
    }
    let found = faults(ONE_ROUTE);
    assert!(
        found.starts_with("route[0].require.cedar: expected policies that can be asked"),
        "{found}"
    );
    folder.write("a.cedar", "permit (principal, action, resource);");
    let found = faults(&tables(&folder.0, ""));
    assert!(
        found.starts_with("cedar: expected a route that asks the policies"),
        "{found}"
    );
}

#[test]
fn the_schema_names_what_the_settings_name() {
    let text = example_settings();
    let config = Config::from_toml(&format!(
        "[[issuer]]\nurl = \"https://a\"\n[gateway]\n{text}"
    ))
    .unwrap();
    let schema = cedar_schema(&config);
    for line in [
        "\"department\"?: String,",
        "\"suspended\"?: Bool,",
        "\"user\"?: String,",
        "action \"DELETE\", \"GET\", \"OPTIONS\", \"PATCH\", \"POST\", \"PUT\", \"orders:read\", \"orders:write\" appliesTo",
    ] {
        assert!(schema.contains(line), "{line}: {schema}");
    }
    assert!(!schema.contains("{parameters}") && !schema.contains("{claims}"));
}

/// A policy for every action covers methods that Cedar has no action for.
#[tokio::test]
async fn a_method_that_no_policy_can_name_is_for_policies_of_all_actions() {
    let folder = Folder::new("methods");
    folder.write(
        "a.cedar",
        "permit (principal, action == Portcullis::Action::\"GET\", resource);",
    );
    let setup = TestSetup::new(&tables(&folder.0, ONE_ROUTE)).await;
    let purge = async || {
        let request = Request::builder()
            .method("PURGE")
            .uri("/x")
            .header("host", "gw.example");
        let request = request.header("authorization", format!("Bearer {}", setup.token()));
        setup
            .client()
            .send(request.body(http_body_util::Full::default()).unwrap())
            .await
            .status
    };
    assert_eq!(purge().await, 403);
    folder.write("a.cedar", "permit (principal, action, resource);");
    setup
        .handle
        .reload(setup.settings(&tables(&folder.0, ONE_ROUTE)))
        .await
        .unwrap();
    assert_eq!(purge().await, 200);
}
