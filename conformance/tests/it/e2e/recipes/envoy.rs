//! Envoy with ext_authz by gRPC.

use super::calls::{make, make_with_unknown_name, make_without_gateway, make_without_keys};
use super::installed;
use super::world::World;
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "deploy/envoy/portcullis.toml";

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_decided_by_the_gateway() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else { return };
    let mut world = World::new("envoy", SETTINGS).await;
    let _envoy = start(&program, &world).await;
    make(&world);
    make_with_unknown_name(&world);
    world.stop_gateway();
    make_without_gateway(&world, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_refusal() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else { return };
    let world = World::without_keys("envoy", SETTINGS).await;
    let _envoy = start(&program, &world).await;
    make_without_keys(&world);
}

async fn start(program: &Path, world: &World) -> Process {
    let file = world.folder.join("envoy.yaml");
    std::fs::write(&file, world.placed("deploy/envoy/envoy.yaml")).unwrap();
    let mut command = Command::new(program);
    // Several may run at once.
    command.arg("-c").arg(&file).args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "off"]);
    let envoy = Process::start(&mut command);
    world.fronted().await;
    envoy
}
