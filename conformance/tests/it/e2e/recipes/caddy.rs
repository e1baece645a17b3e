//! Caddy with `forward_auth`.

use super::calls::{make, make_with_unknown_name, make_without_gateway, make_without_keys};
use super::installed;
use super::world::World;
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "deploy/caddy/portcullis.toml";

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_decided_by_the_gateway() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else { return };
    let mut world = World::new("caddy", SETTINGS).await;
    let _caddy = start(&program, &world).await;
    make(&world);
    make_with_unknown_name(&world);
    world.stop_gateway();
    make_without_gateway(&world, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_refusal() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else { return };
    let world = World::without_keys("caddy", SETTINGS).await;
    let _caddy = start(&program, &world).await;
    make_without_keys(&world);
}

/// With the committed site. Its own administration would want a port that another test may have.
async fn start(program: &Path, world: &World) -> Process {
    let site = world.placed("deploy/caddy/Caddyfile");
    let file = world.folder.join("Caddyfile");
    std::fs::write(&file, format!("{{\n\tadmin off\n\tpersist_config off\n}}\n{site}")).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env("HOME", &world.folder);
    let caddy = Process::start(&mut command);
    world.fronted().await;
    caddy
}
