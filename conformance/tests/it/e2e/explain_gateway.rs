//! `portcullis explain --config`, beside the gateway that runs with the same file: one verdict.

use super::command::{portcullis, text};
use super::process::{Folder, Process, free_port, program};
use portcullis_idp::{Idp, IdpConfig};
use reqwest::{Method, Response};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Settings that the environment could not express: two issuers, a claim, a lifetime, policies.
const ROUTES: &str = r#"
[gateway.identity.headers]
x-auth-subject = "subject"
[[route]]
path = "/public/**"
access = "public"
[[route]]
name = "orders"
path = "/orders/{id}"
methods = ["GET"]
require = { scope = "orders:read" }
[[route]]
path = "/admin/**"
require = { role = "Admin" }
[[route]]
path = "/payments"
require = { acr = ["mfa"], max_age = 900 }
[[route]]
path = "/regions/{region}"
require = { cedar = true }
[cedar]
"#;

const POLICIES: &str = r#"
permit (principal, action, resource) when { principal has subject };
@id("frozen")
forbid (principal, action, resource) when { context.parameters has region && context.parameters.region == "eu" };
"#;

struct Setup {
    folder: Folder,
    idp: Idp,
    second: Idp,
    address: String,
    gateway: Process,
}

impl Setup {
    async fn new() -> Self {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let second = Idp::start(IdpConfig::default()).await.unwrap();
        let port = free_port();
        let folder = Folder::new("explain", port);
        let issuer = |idp: &Idp, more: &str| {
            let (url, audience) = (idp.issuer(), idp.audience());
            format!("[[issuer]]\nurl = \"{url}\"\naudience = \"{audience}\"\n{more}\n")
        };
        let issuers = format!(
            "{}{}",
            issuer(&idp, "max_lifetime = 7200"),
            issuer(&second, "claims = { department = \"sales\" }")
        );
        let listen = format!("listen = \"127.0.0.1:{port}\"\nupstream = \"http://127.0.0.1:9\"\n");
        let policies = folder.0.join("p.cedar");
        let policies = format!("policies = [\"{}\"]\n", policies.display());
        let settings = format!("{issuers}[gateway]\n{listen}{ROUTES}{policies}");
        std::fs::write(folder.0.join("portcullis.toml"), settings).unwrap();
        std::fs::write(folder.0.join("p.cedar"), POLICIES).unwrap();
        let mut command = Command::new(program("portcullis"));
        command.args(["serve"]).current_dir(&folder.0);
        let gateway = Process::start(&mut command);
        let address = format!("http://127.0.0.1:{port}");
        Self {
            folder,
            idp,
            second,
            address,
            gateway,
        }
    }

    fn settings(&self) -> PathBuf {
        self.folder.0.join("portcullis.toml")
    }

    /// The response of the gateway that runs.
    async fn send(&self, line: &str, token: Option<&str>) -> Response {
        let (method, path) = line.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let client = reqwest::Client::new();
        for _ in 0..600 {
            let mut request = client.request(method.clone(), format!("{}{path}", self.address));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            if let Ok(response) = request.send().await
                && response.status() != 503
            {
                return response;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the gateway never decided {line}");
    }

    fn explain(&self, line: &str, token: Option<&str>, more: &[&str]) -> (Option<i32>, String) {
        let settings = self.settings();
        let settings = settings.to_str().unwrap();
        let mut arguments = vec!["explain", "--config", settings, "--request", line];
        let file = self.folder.0.join("token.txt");
        if let Some(token) = token {
            std::fs::write(&file, token).unwrap();
            arguments.extend(["--file", file.to_str().unwrap()]);
        }
        arguments.extend(more);
        let output = portcullis(&arguments, &[]);
        let shown = text(&output.stdout) + &text(&output.stderr);
        if let Some(token) = token {
            assert!(!shown.contains(token), "the token itself is shown");
        }
        (output.status.code(), shown)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_explanation_is_the_verdict_of_the_gateway_that_runs() {
    let setup = Setup::new().await;
    let token = |user: &str| setup.idp.token(user);
    let good = token("alice").scope("orders:read").sign();
    let bare = token("bob").sign();
    let foreign = setup.second.token("alice").sign();
    let long = token("alice").lifetime(86_400).sign();
    let expired = token("alice").expire().sign();
    for (line, token, status, code) in [
        ("GET /public/a", None, 502, "upstream.unreachable"),
        ("GET /orders/7", Some(&good), 502, "upstream.unreachable"),
        ("GET /orders/7", Some(&bare), 403, "policy.scope"),
        ("GET /orders/7", None, 401, "credential.missing"),
        ("GET /orders/7", Some(&expired), 401, "token.expired"),
        ("GET /orders/7", Some(&long), 401, "token.lifetime"),
        ("GET /orders/7", Some(&foreign), 401, "token.claim_value"),
        ("GET /admin/x", Some(&bare), 403, "policy.role"),
        ("POST /payments", Some(&good), 401, "policy.step_up"),
        ("GET /regions/eu", Some(&good), 403, "policy.denied"),
        ("GET /regions/us", Some(&good), 502, "upstream.unreachable"),
        ("DELETE /orders/7", Some(&bare), 502, "upstream.unreachable"),
        ("GET /public//a", None, 400, "request.path"),
        ("TRACE /public/a", None, 501, "request.method"),
    ] {
        let token = token.map(String::as_str);
        let response = setup.send(line, token).await;
        assert_eq!(response.status().as_u16(), status, "{line}");
        let challenge = response.headers().get("www-authenticate").cloned();
        let body = response.bytes().await.unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], code, "{line}");
        let (exit, shown) = setup.explain(line, token, &["--json"]);
        let explained: Value = serde_json::from_str(&shown).unwrap();
        if code == "upstream.unreachable" {
            // It was forwarded, and nobody is there: the upstream's matter, not the gateway's.
            assert_eq!(exit, Some(0), "{line}: {shown}");
            assert_eq!(explained["verdict"]["outcome"], "forwarded", "{line}");
            assert_eq!(explained["forward"]["upstream"], "http://127.0.0.1:9");
            continue;
        }
        assert_eq!(exit, Some(2), "{line}: {shown}");
        let verdict = &explained["verdict"];
        assert_eq!(
            (&verdict["status"], &verdict["code"]),
            (&status.into(), &code.into()),
            "{line}"
        );
        let shown = explained["response"]["headers"]["www-authenticate"].as_str();
        assert_eq!(
            shown,
            challenge.as_ref().map(|it| it.to_str().unwrap()),
            "{line}"
        );
    }
    drop(setup.gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_names_route_demand_and_who_can_cure_it() {
    let setup = Setup::new().await;
    let bare = setup.idp.token("bob").scope("profile").sign();
    let (exit, page) = setup.explain("GET /orders/7", Some(&bare), &[]);
    assert_eq!(exit, Some(2), "{page}");
    for told in [
        "This request is refused: 403 policy.scope",
        "orders: route[1],",
        "/orders/* for GET, any host",
        "no  scope `orders:read`  scopes `profile`",
        "who        the developer of the client",
        "www-authenticate: Bearer realm=\"api\", error=\"insufficient_scope\"",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let (_, page) = setup.explain("GET /regions/eu", Some(&bare), &[]);
    assert!(page.contains("decided by frozen"), "{page}");
    // U+009B begins a control sequence, and U+202E turns text around: an issuer may sign both.
    let hostile = setup.idp.token("bob");
    let hostile = hostile.claim("sub", "a\u{9b}2J\u{202e}").sign();
    for more in [&[][..], &["--json"]] {
        let (_, shown) = setup.explain("GET /orders/7", Some(&hostile), more);
        assert!(shown.contains("202e"), "{shown}");
        assert!(!shown.contains(['\u{9b}', '\u{202e}']), "{shown}");
    }
    // Without `--request`, the token alone is explained, by the settings of the file.
    let long = setup.idp.token("alice").lifetime(86_400).sign();
    let settings = setup.settings();
    let settings = settings.to_str().unwrap();
    let explained = portcullis(&["explain", "--config", settings, "--json", &long], &[]);
    let json: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(explained.status.code(), Some(2));
    assert_eq!(json["code"], "token.lifetime");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_cannot_be_meant_have_their_cure() {
    let setup = Setup::new().await;
    for (line, more, told) in [
        ("orders", &[][..], "expected a method and a path"),
        (
            "GET /a",
            &["--header", "novalue-secret"],
            "expected a name and a value",
        ),
        (
            "GET /a",
            &["--header", "Authorization: x", "tok"],
            "expected the token once",
        ),
    ] {
        let (exit, shown) = setup.explain(line, None, more);
        assert_eq!(exit, Some(1), "{shown}");
        assert!(shown.contains(told) && !shown.contains("secret"), "{shown}");
    }
    // A file in this folder is mentioned, and not taken up in silence.
    let mut command = Command::new(program("portcullis"));
    command
        .args(["explain", "eyJ"])
        .current_dir(&setup.folder.0);
    for name in ["OAUTH2_ISSUER", "OAUTH2_AUDIENCE"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let shown = text(&output.stdout);
    let words: Vec<&str> = shown.split_whitespace().collect();
    assert!(
        words.join(" ").contains("(--config portcullis.toml)"),
        "{shown}"
    );
}
