//! `portcullis audit --probe`: the requests that a good API refuses, at a gateway and at APIs that
//! make the usual mistakes.

use super::command::{portcullis, text};
use super::gateway::OperatorSetup;
use super::process::{Folder, Process};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// What the audit says of requests, each without `audit.`.
fn found(url: &str, arguments: &[&str]) -> (Vec<String>, Value) {
    let fixed = [
        "audit",
        "--format",
        "json",
        "--resource-url",
        url,
        "--probe",
    ];
    let output = portcullis(&[&fixed, arguments].concat(), &[]);
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let findings = document["subjects"][0]["findings"].as_array().unwrap();
    let ids = findings.iter().filter_map(|it| it["id"].as_str());
    let ids = ids.filter_map(|id| id.strip_prefix("audit.api_"));
    (ids.map(str::to_owned).collect(), document)
}

/// An API of one file.
async fn serve(answer: fn(&str) -> (u16, &'static str, String)) -> String {
    let handle = async move |request: Request| {
        let value = request.headers().get(AUTHORIZATION);
        let value = value
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default();
        let (status, challenge, body) = answer(value.trim_start_matches("Bearer "));
        Response::builder()
            .status(status)
            .header(WWW_AUTHENTICATE, challenge)
            .body(Body::from(body))
            .unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    let app = Router::new().fallback(handle);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

fn header(token: &str) -> Value {
    let part = token.split('.').next().unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

const REFUSED: (u16, &str, String) = (401, "Bearer", String::new());

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_of_an_api_is_found() {
    for (name, expected, answer) in [
        ("good", &[][..], (|_| REFUSED) as fn(&str) -> _),
        ("no check at all", &["open"], |_| (200, "", "[]".to_owned())),
        ("any header will do", &["forged"; 4], |token| match token {
            "" => REFUSED,
            _ => (200, "", "[]".to_owned()),
        }),
        (
            "`none` is an algorithm",
            &["forged"],
            |token| match &header(token)["alg"] {
                alg if alg == "none" => (200, "", "[]".to_owned()),
                _ => REFUSED,
            },
        ),
        ("the token's own key", &["forged"], |token| {
            match header(token)["jwk"].is_object() {
                true => (200, "", "[]".to_owned()),
                false => REFUSED,
            }
        }),
        (
            "a proxy's refusal",
            &["refusal", "challenge"],
            |token| match token {
                "" => (403, "", String::new()),
                _ => (401, "", String::new()),
            },
        ),
        (
            "an exception",
            &["refusal", "trace"],
            |token| match header(token).is_object() {
                true => REFUSED,
                false if token.is_empty() => REFUSED,
                false => (500, "", "Traceback (most recent call last):\n".to_owned()),
            },
        ),
        ("an echo", &["repeats"; 4], |token| {
            (401, "Bearer", format!("bad token: {token}"))
        }),
    ] {
        let url = serve(answer).await;
        assert_eq!(found(&url, &[]).0, expected, "{name}");
    }
}

/// The same requests at a gateway, with a good token at last: it alone passes.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_refuses_all_but_the_good_token() {
    let world = OperatorSetup::new("audit-api").await;
    world.write("");
    let _gateway = Process::start(&mut world.command(&["serve"]));
    world.ready().await;
    let url = format!("http://{}/orders", world.gateway);
    let issued = world.idp.token("alice").issue();
    let token = world.folder.join("token.txt");
    std::fs::write(&token, &issued).unwrap();
    let token = token.to_str().unwrap();
    let (ids, document) = found(&url, &["--token-file", token]);
    assert_eq!(ids, [] as [&str; 0], "{document:#}");
    let facts = document["subjects"][0]["facts"].as_array().unwrap();
    let requests = facts.iter().filter(|it| it["name"] == "request");
    let told: Vec<&str> = requests.filter_map(|it| it["told"].as_str()).collect();
    assert_eq!(told.len(), 7, "{told:?}");
    let is_refused = |it: &&str| it.ends_with(": 401") || it.ends_with(": 400");
    assert_eq!(
        told.iter().filter(|it| is_refused(it)).count(),
        6,
        "{told:?}"
    );
    assert_eq!(told.last(), Some(&"with your token: 200"));
    let shown = document.to_string();
    assert!(issued.split('.').all(|part| !shown.contains(part)));
}

#[test]
fn a_token_is_sent_to_the_api_only_where_that_is_asked_for() {
    let url = "http://127.0.0.1:1/orders";
    let folder = Folder::new("audit-token", 1);
    let file = folder.0.join("token.txt");
    std::fs::write(&file, "a.b.c").unwrap();
    let file = file.to_str().unwrap();
    let output = portcullis(&["audit", "--resource-url", url, "--token-file", file], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--probe"));
}

/// An audit that did not come to its end leaves a report that says so.
#[test]
fn an_interrupted_audit_is_no_empty_file() {
    let away = ["audit", "http://127.0.0.1:1", "--format"];
    let run = |format| portcullis(&[&away[..], &[format]].concat(), &[]);
    let sarif = run("sarif");
    assert_eq!(sarif.status.code(), Some(4));
    let log: Value = serde_json::from_slice(&sarif.stdout).unwrap();
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolExecutionNotifications"][0]["message"]["text"];
    assert!(
        notification
            .as_str()
            .unwrap()
            .contains("does not answer")
    );
    let json: Value = serde_json::from_slice(&run("json").stdout).unwrap();
    assert!(json["interrupted"].is_string() && json["fails"] == true);
}
