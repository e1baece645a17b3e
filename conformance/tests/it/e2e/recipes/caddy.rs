//! Caddy with `forward_auth`.

use super::calls::{Front, bearer, make, make_without_gateway, make_without_keys, metadata};
use super::corpus;
use super::installed;
use super::peers;
use super::setup::RecipeSetup;
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "deploy/caddy/portcullis.toml";
const CADDY: Front = Front {
    respelled: 200,
    unknown: 200,
    named_away: 400,
    resolves_paths: false,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_decided_by_the_gateway() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    let mut world = RecipeSetup::new("caddy", SETTINGS).await;
    let _caddy = start(&program, &world).await;
    make(&world, &CADDY);
    corpus::send(&world, &CADDY);
    only_websockets_upgrade(&world);
    world.stop_gateway();
    make_without_gateway(&world, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_a_resource_is_for_everybody() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    let to = metadata::RESOURCE;
    let world = RecipeSetup::changed("caddy-metadata", SETTINGS, "[[route]]", to).await;
    let _caddy = start(&program, &world).await;
    metadata::read(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_forge_its_address() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    for (header, told) in [
        ("X-Forwarded-For", true),
        ("X-Real-IP", false),
        ("Forwarded", false),
    ] {
        let world = peers::believing("caddy", SETTINGS, header).await;
        let _caddy = start(&program, &world).await;
        peers::forge(&world, told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_refusal() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    let world = RecipeSetup::without_keys("caddy", SETTINGS).await;
    let _caddy = start(&program, &world).await;
    make_without_keys(&world);
}

/// Another protocol on the connection to the API would be a way past the gateway.
fn only_websockets_upgrade(world: &RecipeSetup) {
    let token = bearer(&world.idp.token("bob").sign());
    let upgraded = |protocol: &str| {
        let lines = [
            format!("Connection: Upgrade\r\nUpgrade: {protocol}"),
            token.clone(),
        ];
        world.send("GET", "/protected-data", &lines);
        world.taken()[0]
            .2
            .iter()
            .any(|line| line.starts_with("upgrade: "))
    };
    assert!(upgraded("websocket") && upgraded("WebSocket"));
    for protocol in ["h2c", "foo", "websocket, h2c", "websocket\r\nUpgrade: h2c"] {
        assert!(!upgraded(protocol), "{protocol}");
    }
}

/// With the committed site. Its own administration would want a port that another test may have.
async fn start(program: &Path, world: &RecipeSetup) -> Process {
    let site = world.placed("deploy/caddy/Caddyfile");
    let file = world.folder.join("Caddyfile");
    std::fs::write(
        &file,
        format!("{{\n\tadmin off\n\tpersist_config off\n}}\n{site}"),
    )
    .unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", &world.folder);
    let caddy = Process::start(&mut command);
    world.fronted().await;
    caddy
}
