//! The FastAPI application of `examples/fastapi`, without a line about tokens, behind the proxy.

use super::calls::bearer;
use super::installed;
use super::setup::{RecipeSetup, eventually};
use crate::e2e::process::Process;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "examples/fastapi/portcullis.toml";

#[tokio::test(flavor = "multi_thread")]
async fn an_api_without_a_line_about_tokens_is_protected() {
    let Some(python) = installed("PORTCULLIS_PYTHON", "python") else {
        return;
    };
    let mut world = RecipeSetup::behind("fastapi", SETTINGS).await;
    let _uvicorn = start(&python, &world).await;
    let [service, bob, alice] =
        ["service", "bob", "alice"].map(|name| bearer(&world.idp.token(name).sign()));
    let tokens = [None, Some(&service), Some(&bob), Some(&alice)];
    for (target, expected) in [
        ("/public-data", [200, 200, 200, 200]),
        ("/protected-data", [401, 200, 200, 200]),
        ("/admin-dashboard", [401, 403, 403, 200]),
        ("/admin-dashboard/", [401, 403, 403, 307]),
        ("/%61dmin-dashboard", [401, 403, 403, 200]),
        ("/public-data/../admin-dashboard", [400, 400, 400, 400]),
        ("/whoami", [401, 200, 200, 200]),
        ("/openapi.json", [401, 200, 200, 200]),
        ("/nothing", [401, 404, 404, 404]),
    ] {
        for (token, status) in tokens.into_iter().zip(expected) {
            let lines: Vec<String> = token.into_iter().cloned().collect();
            let answer = world.send("GET", target, &lines);
            assert_eq!(answer.status, status, "{target} {lines:?}");
            // Clients of FastAPI look for `detail`.
            if status >= 400 {
                assert!(
                    json(&answer.body)["detail"].is_string(),
                    "{target} {answer:?}"
                );
            }
        }
    }
    let greeting = world.send("GET", "/protected-data", &[service]);
    assert_eq!(json(&greeting.body)["message"], "Hello, service!");
    the_caller_is_told_by_the_gateway_only(&world, &alice);
    world.stop_gateway();
    assert!(
        world.try_send("GET", "/public-data", &[]).is_err(),
        "there is no way but through the gateway"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_refusal() {
    let Some(python) = installed("PORTCULLIS_PYTHON", "python") else {
        return;
    };
    let world = RecipeSetup::behind_without_keys("fastapi", SETTINGS).await;
    let _uvicorn = start(&python, &world).await;
    let answer = world.send(
        "GET",
        "/protected-data",
        &[bearer(&world.idp.token("bob").sign())],
    );
    assert_eq!(
        (answer.status, answer.values("retry-after").len()),
        (503, 1)
    );
    assert!(json(&answer.body)["detail"].is_string());
    assert_eq!(world.send("GET", "/public-data", &[]).status, 200);
}

fn the_caller_is_told_by_the_gateway_only(world: &RecipeSetup, token: &str) {
    let forged = [
        "X-Auth-Subject: forged",
        "X_Auth_Roles: forged",
        "X-Auth-New: forged",
        "X-Original-URL: forged",
    ];
    let lines: Vec<String> = forged
        .into_iter()
        .chain([token])
        .map(str::to_owned)
        .collect();
    let headers = json(&world.send("GET", "/whoami", &lines).body);
    let told: Vec<(&str, &str)> = headers["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(pair)
        .collect();
    assert!(
        !told
            .iter()
            .any(|(name, value)| *name == "authorization" || *value == "forged"),
        "{told:?}"
    );
    let value = |wanted: &str| -> Vec<&str> {
        told.iter()
            .filter(|(name, _)| *name == wanted)
            .map(|(_, value)| *value)
            .collect()
    };
    assert_eq!(value("x-auth-roles"), ["Admin"]);
    assert_eq!(value("x-auth-issuer"), [world.idp.issuer().as_str()]);
    assert_eq!(value("x-auth-subject").len(), 1);
    // Where no token is looked at, nobody is told of.
    let public = world.send("GET", "/public-data", &[token.to_owned()]);
    assert_eq!(public.status, 200);
}

fn pair(header: &Value) -> (&str, &str) {
    (header[0].as_str().unwrap(), header[1].as_str().unwrap())
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

async fn start(python: &Path, world: &RecipeSetup) -> Process {
    let port = world.api.port().to_string();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/fastapi");
    let mut command = Command::new(python);
    command
        .args([
            "-B",
            "-m",
            "uvicorn",
            "main:app",
            "--port",
            &port,
            "--log-level",
            "error",
        ])
        .current_dir(folder);
    let uvicorn = Process::start(&mut command);
    eventually("uvicorn", || {
        std::net::TcpStream::connect(world.api).is_ok()
    })
    .await;
    uvicorn
}
