//! Traefik with `forwardAuth`.

use super::calls::{Front, make, make_without_gateway, make_without_keys, metadata};
use super::corpus;
use super::installed;
use super::peers;
use super::setup::RecipeSetup;
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "deploy/traefik/portcullis.toml";
const TRAEFIK: Front = Front {
    respelled: 400,
    unknown: 400,
    named_away: 200,
    resolves_paths: true,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_decided_by_the_gateway() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "traefik") else {
        return;
    };
    let mut world = RecipeSetup::new("traefik", SETTINGS).await;
    let _traefik = start(&program, &world).await;
    make(&world, &TRAEFIK);
    corpus::send(&world, &TRAEFIK);
    world.stop_gateway();
    make_without_gateway(&world, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_a_resource_is_for_everybody() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "traefik") else {
        return;
    };
    let to = metadata::RESOURCE;
    let world = RecipeSetup::changed("traefik-metadata", SETTINGS, "[[route]]", to).await;
    let _traefik = start(&program, &world).await;
    metadata::read(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_forge_its_address() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "traefik") else {
        return;
    };
    for (header, told) in [
        ("X-Forwarded-For", true),
        ("X-Real-IP", false),
        ("Forwarded", false),
    ] {
        let world = peers::believing("traefik", SETTINGS, header).await;
        let _traefik = start(&program, &world).await;
        peers::forge(&world, told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_refusal() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "traefik") else {
        return;
    };
    let world = RecipeSetup::without_keys("traefik", SETTINGS).await;
    let _traefik = start(&program, &world).await;
    make_without_keys(&world);
}

/// With the committed routers and middlewares, and an entry point with nothing but its address.
async fn start(program: &Path, world: &RecipeSetup) -> Process {
    let file = world.folder.join("dynamic.yaml");
    std::fs::write(&file, world.placed("deploy/traefik/dynamic.yaml")).unwrap();
    let mut command = Command::new(program);
    command.arg(format!("--entrypoints.web.address={}", world.front));
    command.arg(format!("--providers.file.filename={}", file.display()));
    command.args([
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=ERROR",
    ]);
    let traefik = Process::start(&mut command);
    world.fronted().await;
    traefik
}
