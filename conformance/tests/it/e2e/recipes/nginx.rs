//! Debian's nginx with `auth_request`.

use super::calls::{Front, make, make_without_gateway, make_without_keys};
use super::corpus;
use super::installed;
use super::setup::RecipeSetup;
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "deploy/nginx/portcullis.toml";
const NGINX: Front = Front {
    respelled: 200,
    unknown: 400,
    named_away: 200,
    resolves_paths: false,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_decided_by_the_gateway() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let mut world = RecipeSetup::new("nginx", SETTINGS).await;
    let _nginx = start(&program, &world).await;
    make(&world, &NGINX);
    corpus::send(&world, &NGINX);
    let inside = world.send("GET", "/_portcullis", &[]);
    assert_eq!(
        (inside.status, world.taken()),
        (404, vec![]),
        "the question is not for clients"
    );
    world.stop_gateway();
    make_without_gateway(&world, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_refusal() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let world = RecipeSetup::without_keys("nginx", SETTINGS).await;
    let _nginx = start(&program, &world).await;
    make_without_keys(&world);
}

/// With the committed site, in the least surroundings that nginx wants.
async fn start(program: &Path, world: &RecipeSetup) -> Process {
    let site = world.folder.join("site.conf");
    std::fs::write(&site, world.placed("deploy/nginx/portcullis.conf")).unwrap();
    let folder = world.folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .concat();
    let text = format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n\
         http {{ access_log off; {temporary} include {}; }}",
        site.display()
    );
    let file = world.folder.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    let nginx = Process::start(
        Command::new(program)
            .arg("-p")
            .arg(&world.folder)
            .arg("-c")
            .arg(&file),
    );
    world.fronted().await;
    nginx
}
