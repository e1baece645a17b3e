//! Envoy with ext_authz by gRPC.

use super::calls::{Front, bearer, make, make_without_gateway, make_without_keys, metadata};
use super::corpus;
use super::installed;
use super::peers;
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
async fn the_metadata_of_a_resource_is_for_everybody() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let to = metadata::RESOURCE;
    let world = RecipeSetup::changed("envoy-metadata", SETTINGS, "[[route]]", to).await;
    let _envoy = start(&program, &world).await;
    metadata::read(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_forge_its_address() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    for (header, told) in [
        ("X-Forwarded-For", true),
        ("X-Real-IP", true),
        ("Forwarded", true),
    ] {
        let world = peers::believing("envoy", SETTINGS, header).await;
        let _envoy = start(&program, &world).await;
        peers::forge(&world, told).await;
    }
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

/// Envoy sends the answer to a preflight, and puts the marks on what the API answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_can_read_the_answers() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let cors = "[gateway.cors]\norigins = [\"https://app.example\"]\n[[route]]";
    let world = RecipeSetup::changed("envoy-cors", SETTINGS, "[[route]]", cors).await;
    let _envoy = start(&program, &world).await;
    let from = |origin: &str| format!("Origin: {origin}");
    let asks = "Access-Control-Request-Method: PUT".to_owned();
    for (origin, allowed) in [
        ("https://app.example", true),
        ("https://evil.example", false),
    ] {
        let origin_sent = if allowed { vec![origin] } else { vec![] };
        let preflight = world.send("OPTIONS", "/protected-data", &[from(origin), asks.clone()]);
        assert_eq!(preflight.status, 204, "{preflight:?}");
        assert_eq!(
            preflight.values("access-control-allow-methods").len(),
            origin_sent.len()
        );
        assert_eq!(preflight.values("access-control-allow-origin"), origin_sent);
        let refused = world.send("GET", "/protected-data", &[from(origin)]);
        assert_eq!(refused.status, 401);
        assert_eq!(refused.values("access-control-allow-origin"), origin_sent);
        assert_eq!(refused.values("www-authenticate").len(), 1);
        assert_eq!(world.taken(), []);
        let open = world.send("GET", "/public-data", &[from(origin)]);
        assert_eq!((open.status, world.taken().len()), (200, 1));
        assert_eq!(open.values("access-control-allow-origin"), origin_sent);
        assert_eq!(open.values("vary"), ["Origin"]);
    }
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
