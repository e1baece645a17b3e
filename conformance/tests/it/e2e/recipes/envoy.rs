//! Envoy with ext_authz by gRPC.

use super::calls::{Front, bearer, make, make_without_gateway, make_without_keys};
use super::corpus;
use super::installed;
use super::setup::RecipeSetup;
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "deploy/envoy/portcullis.toml";
const ENVOY: Front = Front {
    respelled: 200,
    unknown: 200,
    named_away: 200,
    resolves_paths: false,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_decided_by_the_gateway() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let mut world = RecipeSetup::new("envoy", SETTINGS).await;
    let _envoy = start(&program, &world).await;
    make(&world, &ENVOY);
    corpus::send(&world, &ENVOY);
    world.stop_gateway();
    make_without_gateway(&world, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_refusal() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let world = RecipeSetup::without_keys("envoy", SETTINGS).await;
    let _envoy = start(&program, &world).await;
    make_without_keys(&world);
}

/// The HTTP flavour, told every header that a client sends: none of them makes a call of gRPC out
/// of its question, whose answer Envoy would take for leave.
#[tokio::test(flavor = "multi_thread")]
async fn no_header_of_a_client_makes_another_question() {
    const GRPC: &str = "                      grpc_service:
                        envoy_grpc: { cluster_name: portcullis }
                        timeout: 5s
";
    const HTTP: &str =
        "                      allowed_headers: { patterns: [{ safe_regex: { regex: '.*' } }] }
                      http_service:
                        server_uri: { uri: 'http://127.0.0.1:9191', cluster: portcullis, timeout: 5s }
                        path_prefix: /check
                        authorization_response:
                          allowed_upstream_headers: { patterns: [{ prefix: x-auth- }] }
";
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let prefixed = "[ext_authz]\npath_prefix = \"/check\"";
    let world = RecipeSetup::changed("envoy-http", SETTINGS, "[ext_authz]", prefixed).await;
    let recipe = world.placed("deploy/envoy/envoy.yaml");
    assert!(recipe.contains(GRPC));
    let recipe = recipe
        .replace(GRPC, HTTP)
        .replace("encode_raw_headers: true", "encode_raw_headers: false");
    let _envoy = start_with(&program, &world, &recipe).await;
    let token = bearer(&world.idp.token("bob").sign());
    for kind in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;x",
        "application/grpc-web",
        "a/b",
    ] {
        for target in [
            "/protected-data",
            "/envoy.service.auth.v3.Authorization/Check",
            "/grpc.health.v1.Health/Check",
        ] {
            let lines = [
                format!("Content-Type: {kind}"),
                "TE: trailers".to_owned(),
                "Content-Length: 0".to_owned(),
            ];
            let forged = [
                "X-Auth-Subject: forged".to_owned(),
                "X-Auth-Roles: forged".to_owned(),
            ];
            let asked = [&lines[..], &forged].concat();
            let answer = world.send("POST", target, &asked);
            // To what looks like a call Envoy tells its refusals as gRPC does.
            let refused = answer.status == 401 || answer.values("grpc-status") == ["16"];
            assert!(refused, "{kind} {target}: {answer:?}");
            assert_eq!(world.taken(), [], "{kind} {target}");
            let asked = [&asked[..], std::slice::from_ref(&token)].concat();
            assert_eq!(
                world.send("POST", target, &asked).status,
                200,
                "{kind} {target}"
            );
            let got = world.taken();
            assert!(
                !got[0].2.iter().any(|line| line.contains("forged")),
                "{got:?}"
            );
        }
    }
}

async fn start(program: &Path, world: &RecipeSetup) -> Process {
    start_with(program, world, &world.placed("deploy/envoy/envoy.yaml")).await
}

async fn start_with(program: &Path, world: &RecipeSetup, recipe: &str) -> Process {
    let file = world.folder.join("envoy.yaml");
    std::fs::write(&file, recipe).unwrap();
    let mut command = Command::new(program);
    // Several may run at once.
    command.arg("-c").arg(&file).args([
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "--log-level",
        "off",
    ]);
    let envoy = Process::start(&mut command);
    world.fronted().await;
    envoy
}
