//! Traefik, with `forwardAuth` and as a reverse proxy.

use super::super::setup::RecipeSetup;
use super::super::{committed, installed};
use super::{Front, NONCES, Peers, REVERSE, door, rows};
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const CERTIFICATE: &str = "[gateway.client_certificate]\nformat = \"traefik\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_with_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "traefik") else {
        return;
    };
    let settings = committed("deploy/traefik/portcullis.toml") + CERTIFICATE + NONCES;
    let world = RecipeSetup::with_text("traefik-bound", &settings).await;
    let peers = Peers::new(&world.folder);
    let recipe = asking();
    let _traefik = start(&program, &world, &peers, &recipe);
    front(&world, &peers).make().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_forwards_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "traefik") else {
        return;
    };
    let settings = format!("{REVERSE}{CERTIFICATE}");
    let world = RecipeSetup::with_text("traefik-bound-proxy", &settings).await;
    let peers = Peers::new(&world.folder);
    let recipe = r#"
http:
  routers:
    api:
      rule: "PathPrefix(`/`)"
      service: portcullis
      tls: {}
      middlewares: [client-certificate]
  middlewares:
    client-certificate:
      passTLSClientCert:
        pem: true
  services:
    portcullis:
      loadBalancer:
        servers:
          - url: "http://127.0.0.1:8081"
"#;
    let _traefik = start(&program, &world, &peers, recipe);
    front(&world, &peers).make().await;
}

/// The rows of the corpus of proofs.
#[tokio::test(flavor = "multi_thread")]
async fn it_passes_every_proof_on() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "traefik") else {
        return;
    };
    let world = RecipeSetup::without_gateway("traefik-proofs").await;
    let peers = Peers::new(&world.folder);
    let _gateway = rows::gateway(&world.place(&door("traefik"))).await;
    let _traefik = start(&program, &world, &peers, &asking());
    front(&world, &peers).send_rows(&[]).await;
}

/// The committed recipe, with TLS and what its comment says of certificates.
fn asking() -> String {
    let recipe = committed("deploy/traefik/dynamic.yaml");
    let (list, trust) = (
        "middlewares: [as-it-is, portcullis,",
        "trustForwardHeader: false",
    );
    assert!(recipe.contains(list) && recipe.contains(trust));
    let with = "tls: {}\n      middlewares: [as-it-is, client-certificate, portcullis,";
    recipe
        .replace(list, with)
        .replace(trust, "trustForwardHeader: true")
}

fn start(program: &Path, world: &RecipeSetup, peers: &Peers, recipe: &str) -> Process {
    let (certificate, key) = (peers.file("server.crt"), peers.file("server.key"));
    let tls = format!(
        "tls:\n  certificates:\n    - certFile: {certificate}\n      keyFile: {key}\n  options:\n    \
         default:\n      clientAuth:\n        clientAuthType: RequestClientCert\n"
    );
    let file = world.folder.join("dynamic.yaml");
    std::fs::write(&file, format!("{}\n{tls}", world.place(recipe))).unwrap();
    let mut command = Command::new(program);
    command.arg(format!("--entrypoints.web.address={}", world.front));
    command.arg(format!("--providers.file.filename={}", file.display()));
    command.args([
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=ERROR",
    ]);
    Process::start(&mut command)
}

fn front<'w>(world: &'w RecipeSetup, peers: &'w Peers) -> Front<'w> {
    Front {
        world,
        peers,
        header: "X-Forwarded-Tls-Client-Cert",
        write: Peers::base64,
    }
}
