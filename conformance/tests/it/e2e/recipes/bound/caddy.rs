//! Caddy, with `forward_auth` and as a reverse proxy.

use super::super::setup::RecipeSetup;
use super::super::{committed, installed};
use super::{Front, NONCES, Peers, REVERSE, door, rows};
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const CERTIFICATE: &str =
    "[gateway.client_certificate]\nformat = \"caddy\"\nheader = \"X-Client-Cert\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_with_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    let settings = committed("deploy/caddy/portcullis.toml") + CERTIFICATE + NONCES;
    let world = RecipeSetup::with_text("caddy-bound", &settings).await;
    let peers = Peers::new(&world.folder);
    let site = asking(&world, &peers);
    let _caddy = start(&program, &world, &site);
    front(&world, &peers).make().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_forwards_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    let settings = format!("{REVERSE}{CERTIFICATE}");
    let world = RecipeSetup::with_text("caddy-bound-proxy", &settings).await;
    let peers = Peers::new(&world.folder);
    let (address, tls) = listen(&world, &peers);
    let site = format!(
        "{address} {{\n{tls}\trequest_header X-Client-Cert \
         {{http.request.tls.client.certificate_der_base64}}\n\treverse_proxy 127.0.0.1:8081\n}}\n"
    );
    let _caddy = start(&program, &world, &site);
    front(&world, &peers).make().await;
}

/// The rows of the corpus of proofs.
#[tokio::test(flavor = "multi_thread")]
async fn it_passes_every_proof_on() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    let world = RecipeSetup::without_gateway("caddy-proofs").await;
    let peers = Peers::new(&world.folder);
    let _gateway = rows::gateway(&world.place(&door("caddy"))).await;
    let _caddy = start(&program, &world, &asking(&world, &peers));
    // A proof of 25 KiB is too long for it.
    front(&world, &peers)
        .send_rows(&["jwk-rsa-huge-modulus"])
        .await;
}

/// The committed site, with TLS.
fn asking(world: &RecipeSetup, peers: &Peers) -> String {
    let (address, tls) = listen(world, peers);
    let recipe = committed("deploy/caddy/Caddyfile");
    let before = "http://:8080 {\n\tbind 127.0.0.1\n";
    assert!(recipe.contains(before));
    recipe.replace(before, &format!("{address} {{\n{tls}"))
}

fn listen(world: &RecipeSetup, peers: &Peers) -> (String, String) {
    let (certificate, key) = (peers.file("server.crt"), peers.file("server.key"));
    let address = format!("https://api.example:{}", world.front.port());
    let tls = format!(
        "\tbind 127.0.0.1\n\ttls {certificate} {key} {{\n\t\tclient_auth {{\n\t\t\tmode \
         request\n\t\t}}\n\t}}\n"
    );
    (address, tls)
}

fn start(program: &Path, world: &RecipeSetup, site: &str) -> Process {
    let options =
        "{\n\tadmin off\n\tpersist_config off\n\tauto_https disable_redirects\n}\n".to_owned();
    let file = world.folder.join("Caddyfile");
    std::fs::write(&file, options + &world.place(site)).unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", &world.folder);
    Process::start(&mut command)
}

fn front<'w>(world: &'w RecipeSetup, peers: &'w Peers) -> Front<'w> {
    Front {
        world,
        peers,
        header: "X-Client-Cert",
        write: Peers::base64,
    }
}
