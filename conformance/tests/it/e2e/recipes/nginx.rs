//! Debian's nginx with `auth_request`.

use super::calls::{Front, bearer, make, make_without_gateway, make_without_keys, metadata};
use super::corpus;
use super::installed;
use super::peers;
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
    names_each_request(&world);
    let inside = world.send("GET", "/_portcullis", &[]);
    assert_eq!(
        (inside.status, world.taken()),
        (404, vec![]),
        "the question is not for clients"
    );
    world.stop_gateway();
    make_without_gateway(&world, 503);
}

/// The client, the API and the records have one id for a request.
fn names_each_request(world: &RecipeSetup) {
    let token = bearer(&world.idp.token("bob").sign());
    let named = "X-Request-Id: of-a-client".to_owned();
    for lines in [vec![token.clone()], vec![token, named]] {
        let answer = world.send("GET", "/protected-data", &lines);
        assert_eq!(answer.status, 200, "{answer:?}");
        let (ids, got) = (answer.values("x-request-id"), world.taken());
        assert_eq!(ids.len(), 1, "{answer:?}");
        assert_eq!(ids[0] == "of-a-client", lines.len() == 2, "{ids:?}");
        let line = format!("x-request-id: {}", ids[0]);
        assert!(got[0].2.contains(&line), "{got:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_a_resource_is_for_everybody() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let to = metadata::RESOURCE;
    let world = RecipeSetup::changed("nginx-metadata", SETTINGS, "[[route]]", to).await;
    let _nginx = start(&program, &world).await;
    metadata::read(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_forge_its_address() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    for (header, told) in [
        ("X-Forwarded-For", true),
        ("X-Real-IP", true),
        ("Forwarded", false),
    ] {
        let world = peers::believing("nginx", SETTINGS, header).await;
        let _nginx = start(&program, &world).await;
        peers::forge(&world, told).await;
    }
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

/// A client of bound tokens gets in only with the nonce that the refusal tells it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_tells_the_nonce() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let to = "public_origin = \"http://127.0.0.1:8080\"\n[dpop]\nnonces = true\n[[issuer]]";
    let world = RecipeSetup::changed("nginx-nonce", SETTINGS, "[[issuer]]", to).await;
    let _nginx = start(&program, &world).await;
    let url = format!("http://{}/orders", world.front);
    let mut command = Command::new(crate::e2e::process::program("portcullis"));
    command
        .args(["curl", "--dpop", &url])
        .env("PORTCULLIS_STATE_DIR", world.folder.join("state"))
        .env("PORTCULLIS_TOKEN_STORE", "file")
        .env("OAUTH2_ISSUER", world.idp.issuer().to_string())
        .env("OAUTH2_CLIENT_ID", "service")
        .env("OAUTH2_CLIENT_SECRET", "service-secret");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "the API");
    let got = world.taken();
    assert_eq!(got.len(), 1);
    assert!(!got[0].2.iter().any(|line| line.starts_with("dpop:")));
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
